#!/bin/sh
# Makes .venv at the root with everything that is locked, and says what downloads and set-up took. Asks nothing.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
now() { date +%s.%N; }
fail() { echo "setup: $1" >&2; exit 1; }

command -v "$python" >/dev/null || fail "$python was not found; install Python 3.11 or give another: make PYTHON=python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed, $("$python" --version) was found; make PYTHON=python3.11"
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
        fail "Python's venv module is missing; run this once: sudo apt-get install -y python3-venv"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
fi

start=$(now)
[ -x .venv/bin/python ] || "$python" -m venv .venv
made=$(now)
uv=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.lock)
.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv"
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
loaded=$(now)
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
.venv/bin/python -m compileall -q -j 0 .venv/lib schemas server laptop console cli demo || true
finished=$(now)
: >.venv/ready
awk "BEGIN { printf \"setup: %.1f s on downloads, %.1f s on set-up\n\", $loaded - $made, $finished - $loaded + $made - $start }"
