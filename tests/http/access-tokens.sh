#!/bin/sh
# Runs jose/access-tokens.mjs, a service that verifies access tokens, against a fresh server.
. "$(dirname "$0")/lib.sh"
folder_of_jose=$(cd "$(dirname "$0")/jose" && pwd)

# Only when something has changed: what is there need not be fetched again.
(
    cd "$folder_of_jose"
    if ! cmp -s package-lock.json node_modules/.installed-lock; then
        npm ci --silent --no-audit --no-fund >&2
        cp package-lock.json node_modules/.installed-lock
    fi
)
port=$(free_port)
base=http://127.0.0.1:$port
start_server "$port" --origin "$base" --allow-insecure-origin
node "$folder_of_jose/access-tokens.mjs" "$base"
