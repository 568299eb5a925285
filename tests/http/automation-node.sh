#!/bin/sh
# Runs automation.mjs against a fresh server. Its origin is an address: older versions of Node try `localhost` by IPv6 only.
. "$(dirname "$0")/lib.sh"

port=$(free_port)
base=http://127.0.0.1:$port
start_server "$port" --origin "$base"
node "$(dirname "$0")/automation.mjs" "$base"
