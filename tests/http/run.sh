#!/bin/sh
# The example server as scripts, Ansible, Authlib, schemathesis and a proxy see it. Prints one line a check, and counts.
# KEYPLATE_SERVER names the program; without it, it is built. Wants Node.js (20 or newer) with npm, python3 with venv, curl and
# nginx, which `./test http` installs.
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${KEYPLATE_SERVER:-}" ]; then
    cargo build --quiet -p keyplate-server
    KEYPLATE_SERVER=${CARGO_TARGET_DIR:-target}/debug/keyplate-server
fi
export KEYPLATE_SERVER

report=$(mktemp)
trap 'rm -f "$report"' EXIT
run() {
    "$@" >>"$report" || echo "not ok $* ended with an error" >>"$report"
}

run sh tests/http/automation.sh
run sh tests/http/automation-node.sh
run sh tests/http/first-run.sh
run sh tests/http/ansible.sh
run sh tests/http/access-tokens.sh
run sh tests/http/invite.sh
run sh tests/http/services.sh
run sh tests/http/clients.sh
run sh tests/http/device.sh
run sh tests/http/nginx.sh
run sh tests/http/keep-alive.sh
run sh tests/http/openapi.sh

grep -E '^(not )?ok ' "$report"
passed=$(grep -c '^ok ' "$report" || :)
failed=$(grep -c '^not ok ' "$report" || :)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
