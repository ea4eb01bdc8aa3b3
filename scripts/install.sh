#!/bin/sh
# Creates a virtual environment and installs the package into it, editable and with its development
# tools. Run from the root of the checkout. Stops at the first error.
#
#     sh scripts/install.sh python3.10 .venv-python3.10
set -eu

python=$(sh scripts/find_python.sh "$1")
venv=$2

# An environment without a working interpreter and pip is created again.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

echo "Installing into $venv. This takes a few minutes and several gigabytes."
"$venv/bin/python" -m pip install --quiet --editable '.[dev]'

# AllenNLP's requirements have no wheels for Python 3.11 and later. pyproject.toml has the reasons and
# the requirements that replace them.
if "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    "$venv/bin/python" -m pip install --quiet --no-deps allennlp==2.10.1 fairscale==0.4.6
fi
