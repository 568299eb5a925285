#!/bin/sh
# The example server's pages in Chromium, as people use them. Prints one line a check, and counts.
# KEYPLATE_SERVER names the program; without it, it is built. Arguments: the test files, instead of all. Wants Node.js (20 or
# newer) with npm, Chromium and sqlite3, which `./test web` installs.
# Pictures of every page are left in target/web-screenshots.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD

if [ -z "${KEYPLATE_SERVER:-}" ]; then
    cargo build --quiet -p keyplate-server
    KEYPLATE_SERVER=${CARGO_TARGET_DIR:-$root/target}/debug/keyplate-server
fi
export KEYPLATE_SERVER

if [ -z "${CHROMIUM:-}" ]; then
    CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
fi
export CHROMIUM

cd tests/web
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
# Only when something has changed: what is there need not be fetched again.
if ! cmp -s package-lock.json node_modules/.installed-lock; then
    npm ci --silent --no-audit --no-fund
    cp package-lock.json node_modules/.installed-lock
fi
[ $# -gt 0 ] || set -- ./*.test.mjs

report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
node --test --test-concurrency=1 --test-timeout=1200000 \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$report" "$@" || status=$?

count() {
    sed -n "s/^# $1 //p" "$report"
}
passed=$(count pass)
failed=$(($(count fail) + $(count cancelled)))
skipped=$(($(count skipped) + $(count todo)))
echo "${passed:-0} passed, $failed failed, $skipped skipped"
[ "$status" -eq 0 ] && [ "$failed" -eq 0 ] && [ "${passed:-0}" -gt 0 ]
