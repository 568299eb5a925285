#!/bin/sh
# Forward auth through real proxies: nginx and Caddy with the files that docs/proxy.md prints, two services behind each, and
# Traefik by the requests that its documentation describes. Then in Chromium. Prints one line a check, and counts.
# KEYPLATE_SERVER names the program; without it, it is built. Wants nginx, Caddy, curl, Node.js (20 or newer) with npm, and
# Chromium, which `./test proxy` installs. Pictures are left in target/proxy-screenshots.
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

# What drives the browser is that of the pages' own tests.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
if ! cmp -s tests/web/package-lock.json tests/web/node_modules/.installed-lock; then
    npm ci --silent --no-audit --no-fund --prefix tests/web
    cp tests/web/package-lock.json tests/web/node_modules/.installed-lock
fi

report=$(mktemp)
trap 'rm -f "$report"' EXIT
for part in requests browser; do
    timeout 300 node "tests/proxy/$part.mjs" >>"$report" || echo "not ok $part ended with an error" >>"$report"
done
grep -E '^(not )?ok |^# ' "$report"
passed=$(grep -c '^ok ' "$report" || :)
failed=$(grep -c '^not ok ' "$report" || :)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
