#!/usr/bin/env bash
# Builds the Python face into a virtual environment of the checkout's own, and prints the path of its interpreter.
# `venv.sh --release` for benchmarks. Wants python3 (3.10 or newer) with venv; pip fetches what `tools` names.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
venv=${KEYPLATE_CACHE:-$root/.cache}/python-venv

tools="maturin>=1.9,<2 mypy>=1.18,<2 pyjwt[crypto]>=2.10,<3 pytest>=8,<10"
if [ "$(cat "$venv/.tools" 2>/dev/null)" != "$tools" ]; then
    python3 -m venv "$venv"
    read -ra wanted <<<"$tools"
    "$venv/bin/python" -m pip install --quiet "${wanted[@]}"
    echo "$tools" >"$venv/.tools"
fi >&2
# Debug by default: it shares what was built for the other faces.
VIRTUAL_ENV=$venv "$venv/bin/maturin" develop --quiet "$@" >&2
echo "$venv/bin/python"
