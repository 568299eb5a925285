#!/usr/bin/env bash
# Builds the Python face into a virtual environment of the checkout's own, and prints the path of its interpreter.
# `venv.sh --release` for benchmarks. Wants python3 (3.10 or newer) with venv; pip fetches maturin, pytest and mypy.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
venv=${KEYPLATE_CACHE:-$root/.cache}/python-venv

if [ ! -x "$venv/bin/maturin" ] || [ ! -x "$venv/bin/mypy" ] || [ ! -x "$venv/bin/pytest" ]; then
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet 'maturin>=1.9,<2' 'pytest>=8,<10' 'mypy>=1.18,<2'
fi >&2
# Debug by default: it shares what was built for the other faces.
VIRTUAL_ENV=$venv "$venv/bin/maturin" develop --quiet "$@" >&2
echo "$venv/bin/python"
