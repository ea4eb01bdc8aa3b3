#!/bin/sh
# Prints the path of a working interpreter for a name such as `python3` or `python3.10`.
#
#     sh scripts/find_python.sh python3.10
#
# A name on the PATH may not work: pyenv's shim `python3.10` only prints which versions have one. So the
# interpreter is called for its version, then pyenv's versions are searched, then uv is called. If no
# supported Python is found, the script prints what was found and exits with 1.
set -u

wanted=${1:-python3}
# "3.10" for "python3.10"; empty for names without a minor version.
minor=$(expr "$wanted" : '.*python\(3\.[0-9][0-9]*\)$' || true)
found=""

# Succeeds if "$1" runs, is a supported Python and has the requested minor version.
works() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null </dev/null) || return 1
    found="$found $1 ($version)"
    case $version in
        3.9 | 3.10 | 3.11 | 3.12 | 3.13) [ -z "$minor" ] || [ "$version" = "$minor" ] ;;
        *) return 1 ;;
    esac
}

answer() {
    # The executable, not the shim, so that the environment does not depend on pyenv's settings.
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
error: PYTHON must be Python 3.9, 3.10, 3.11, 3.12 or 3.13${minor:+ and this one must be $minor}, but for
       '$wanted' this was found:${found:- nothing that runs}
       Install it, for instance with pyenv or uv, or choose another: make PYTHON=python3.12 ...
END
exit 1
