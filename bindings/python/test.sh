#!/usr/bin/env bash
# Tests the Python face: builds it into a virtual environment, then pytest, mypy --strict on tests and example,
# stubtest, and the examples. Wants what venv.sh does, and in KEYPLATE_TESTKIT the program keyplate-testkit.
# Prints "N passed, N failed" at the end.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
cache=${KEYPLATE_CACHE:-$root/.cache}
passed=0 failed=0
python=$(./venv.sh)

check() {
    local name=$1
    shift
    local output
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'failed: %s\n%s\n' "$name" "$output" >&2
    fi
}

report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$python" -m pytest --junit-xml="$report" -o junit_logging=no || true
count() { sed -n "s/.*<testsuite [^>]*$1=\"\([0-9]*\)\".*/\1/p" "$report" | head -n 1; }
tests=$(count tests) bad=$(($(count failures) + $(count errors)))
passed=$((passed + tests - bad - $(count skipped))) failed=$((failed + bad))

check "mypy" "$python" -m mypy --strict --cache-dir "$cache/mypy" tests benches "$root"/examples/python/*.py
check "stubtest" "$python" -m mypy.stubtest keyplate
for example in app migrate; do
    check "example $example.py" env PYTHONDONTWRITEBYTECODE=1 "$python" "$root/examples/python/$example.py"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
