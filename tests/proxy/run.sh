#!/bin/sh
# Services behind real proxies: nginx and Caddy with the files that docs/proxy.md prints, two services behind each, and a
# browser. Prints one line a check, and counts.
# KEYPLATE_SERVER names the program; without it, it is built. Arguments: the test files, instead of all. Wants Node.js (20 or
# newer) with npm, nginx, Caddy, Chromium, curl, openssl, sqlite3, ip and unshare, which `./test proxy` installs.
# All of it runs in a network and with mounts of its own, so that names, ports and paths can be those of the document.
# Pictures are left in target/proxy-screenshots.
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

export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 WEB_SCREENSHOTS="$root/target/proxy-screenshots"
for folder in tests/web tests/proxy; do
    (
        cd "$folder"
        # Only when something has changed: what is there need not be fetched again.
        if ! cmp -s package-lock.json node_modules/.installed-lock; then
            npm ci --silent --no-audit --no-fund
            cp package-lock.json node_modules/.installed-lock
        fi
    )
done

cd tests/proxy
[ $# -gt 0 ] || set -- ./*.test.mjs
KEYPLATE_WORK=$(mktemp -d)
export KEYPLATE_WORK
trap 'rm -rf "$KEYPLATE_WORK"' EXIT
chmod 755 "$KEYPLATE_WORK"
as_root=""
[ "$(id -u)" -eq 0 ] || as_root=--map-root-user
if ! unshare $as_root --net --mount true; then
    echo "skipped: services behind proxies, which want a network and mounts of their own that are not to be had here"
    echo "0 passed, 0 failed, 1 skipped"
    exit
fi
status=0
# shellcheck disable=SC2086
unshare $as_root --net --mount ./apart.sh "$@" || status=$?

count() {
    sed -n "s/^# $1 //p" "$KEYPLATE_WORK/report"
}
passed=$(count pass)
failed=$(($(count fail) + $(count cancelled)))
skipped=$(($(count skipped) + $(count todo)))
echo "${passed:-0} passed, $failed failed, $skipped skipped"
[ "$status" -eq 0 ] && [ "$failed" -eq 0 ] && [ "${passed:-0}" -gt 0 ]
