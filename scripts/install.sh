#!/bin/sh
# Makes a virtual environment and installs the package into it, editable and with its development
# tools. Run from the root of the checkout; stops at the first error.
#
#     sh scripts/install.sh python3.10 .venv-python3.10
set -eu

python=$(sh scripts/find_python.sh "$1")
venv=$2

# An environment whose interpreter or pip does not run (its Python was removed, its making was
# interrupted) is made anew.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

echo "Installing into $venv: a minute or two, and several gigabytes."
"$venv/bin/python" -m pip install --quiet --editable '.[dev]'

# AllenNLP's own requirements cannot be met from Python 3.11 on; pyproject.toml says why and lists
# working ones.
if "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    "$venv/bin/python" -m pip install --quiet --no-deps allennlp==2.10.1 fairscale==0.4.6
fi
