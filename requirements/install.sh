#!/bin/sh
# Usage: sh requirements/install.sh run|dev|bench|s3|metrics|spark
#
# Makes .venv and installs one pinned set into it, then the project itself. Does nothing (in well
# under a second) when the set is already installed. Safe to interrupt: the stamp that says
# "installed" is written last.
set -eu

cd "$(dirname "$0")/.."
set_name=${1:?"Say which set to install: run, dev, bench, s3, metrics or spark."}
venv=.venv
requirements=requirements/$set_name.txt

# Settings of the caller's pip or Python that would install into the wrong place.
export PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONHOME PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV || true

say() { printf '%s\n' "$*" >&2; }
fail() { say "make: $1"; say "      $2"; exit 1; }

[ -f "$requirements" ] || fail "There is no $requirements." "The sets are run, dev, bench, s3, metrics and spark."

# A set is current when its pins, the project's metadata and the checkout's place are unchanged.
# (A moved folder breaks the commands in .venv/bin, which hold its full path.)
fingerprint() { { cat "requirements/$1.txt" pyproject.toml; pwd; } | cksum; }
is_current() {
    [ -f "$venv/.installed-$1" ] && [ "$(cat "$venv/.installed-$1")" = "$(fingerprint "$1")" ]
}

works() { "$venv/bin/python" -c '' 2>/dev/null; }

if works; then
    # All hold run, dev holds metrics and spark, and bench all of dev, in the same versions.
    case $set_name in
        run) larger="run s3 metrics spark dev bench" ;;
        metrics) larger="metrics dev bench" ;;
        spark) larger="spark dev bench" ;;
        dev) larger="dev bench" ;;
        *) larger=$set_name ;;
    esac
    for candidate in $larger; do
        if is_current "$candidate"; then exit 0; fi
    done
fi

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# PYTHON, where the caller gives it, is meant: no other is tried.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.14 python3.13 python3.12 python3.11 python
    fi
    for candidate in "$@"; do
        if is_new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    found=$({ "$1" --version; } 2>/dev/null) || found="not there"
    fail "Python 3.11 or newer is needed, and $1 is $found." \
        "Install one, or name one: make run PYTHON=/path/to/python3.12"
}

# pip inside the environment; where the system's venv module comes without pip (some Linux
# distributions), the system's pip installs into the environment instead.
pip() {
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m pip "$@"
    else
        "$python" -m pip --python "$venv/bin/python" "$@"
    fi
}

python=$(find_python)
# Without pip inside, its making was interrupted (or fell back to the system's pip: made anew).
if ! is_new_enough "$venv/bin/python" || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    say "Making $venv with $("$python" --version)"
    if ! "$python" -m venv --clear "$venv" >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip "$venv" ||
            fail "Python cannot make a virtual environment." \
                "Install its venv module (on Debian and Ubuntu: apt install python3-venv)."
        "$python" -m pip --version >/dev/null 2>&1 ||
            fail "Python has no pip." "Install it (on Debian and Ubuntu: apt install python3-pip)."
    fi
fi

say "Installing $(grep -c '==' "$requirements") pinned packages into $venv (once; a minute or two)"
# The set was solved when it was locked, so nothing is left to resolve (--no-deps); Python compiles
# what is imported when it is imported (--no-compile), which halves the time of this step.
pip install -qq --no-deps --no-compile --require-hashes -r "$requirements" ||
    fail "The packages of $requirements could not be installed." \
        "pip's message is above. Is the package index reachable? Then run the same command again."
# No index is asked here: setuptools is pinned in the set, so nothing else is downloaded.
pip install -qq --no-deps --no-build-isolation --no-index -e . ||
    fail "The project itself could not be installed." "pip's message is above."

# A new set may have changed versions under the others.
rm -f "$venv"/.installed-*
fingerprint "$set_name" >"$venv/.installed-$set_name"
