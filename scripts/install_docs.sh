#!/bin/sh
# Creates a virtual environment with what the extra `docs` lists, without the package and its
# requirements. Run from the root of the checkout. Stops at the first error.
#
#     sh scripts/install_docs.sh python3 .venv-docs
set -eu

python=$(sh scripts/find_python.sh "$1")
venv=$2

"$python" -c 'import sys; sys.exit("make docs requires Python 3.11 or later, but got %d.%d." %
    sys.version_info[:2] + " Choose one: make docs PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'

rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/python" -c '
import tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["project"]["optional-dependencies"]["docs"], sep="\n")
' >"$venv/requirements.txt"
"$venv/bin/python" -m pip install --quiet --requirement "$venv/requirements.txt"
