#!/bin/sh
# Prints the path of a working interpreter for a name such as `python3` or `python3.10`.
#
#     sh scripts/find_python.sh python3.10
#
# A name on the PATH need not work: pyenv puts a `python3.10` there that only says which versions have
# one. So the interpreter is asked for its version, then pyenv's own folders are searched, then uv is
# asked. Exits with 1 and says what was found when there is none that this project supports.
set -u

wanted=${1:-python3}
# "3.10" out of "python3.10"; empty for "python3" and for anything that names no minor version.
minor=$(expr "$wanted" : '.*python\(3\.[0-9][0-9]*\)$' || true)
found=""

# Whether "$1" runs, is a Python that we support, and is the minor version that was asked for.
works() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null </dev/null) || return 1
    found="$found $1 ($version)"
    case $version in
        3.9 | 3.10 | 3.11 | 3.12 | 3.13) [ -z "$minor" ] || [ "$version" = "$minor" ] ;;
        *) return 1 ;;
    esac
}

answer() {
    # The executable itself, not a shim, so that the environment does not depend on pyenv's settings.
    "$1" -c 'import sys; print(sys.executable)'
    exit 0
}

works "$wanted" && answer "$wanted"

if [ -n "$minor" ]; then
    if command -v pyenv >/dev/null 2>&1; then
        for candidate in "$(pyenv root)"/versions/"$minor".*/bin/python"$minor"; do
            works "$candidate" && answer "$candidate"
        done
    fi
    if command -v uv >/dev/null 2>&1; then
        candidate=$(uv python find "$minor" 2>/dev/null </dev/null) && works "$candidate" && answer "$candidate"
        uv python install "$minor" >&2 </dev/null &&
            candidate=$(uv python find "$minor") && works "$candidate" && answer "$candidate"
    fi
fi

cat >&2 <<END
error: this project needs Python 3.9, 3.10, 3.11, 3.12 or 3.13${minor:+, and $minor was asked for}.
       found for '$wanted':${found:- nothing that runs}
       Install one (with pyenv or uv, for instance), or name another: make PYTHON=python3.12 ...
END
exit 1
