#!/bin/sh
# The differential test: the same ceremonies to Keyplate, py_webauthn and SimpleWebAuthn. README.md says more.
# Wants python3 (3.10 or newer) with venv and Node.js (20 or newer) with npm, which `./test differential` installs. pip and npm
# fetch what requirements.txt and package-lock.json name. Arguments are main.py's.
set -eu
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
venv=${KEYPLATE_CACHE:-$root/.cache}/differential-venv

# Only when something has changed: what is there need not be fetched again.
if ! cmp -s requirements.txt "$venv/.installed"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --no-deps --requirement requirements.txt
    cp requirements.txt "$venv/.installed"
fi
if ! cmp -s package-lock.json node_modules/.installed-lock; then
    npm ci --silent --no-audit --no-fund
    cp package-lock.json node_modules/.installed-lock
fi
# Builds the package in its place, where any Python finds it.
"$root/bindings/python/venv.sh" >/dev/null
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/bindings/python/python exec "$venv/bin/python" main.py "$@"
