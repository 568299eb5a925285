#!/bin/sh
# Runs automation.mjs against a fresh server. Its origin is an address: older versions of Node try `localhost` by IPv6 only.
# At an address no passkey works, which the server has to be told is meant.
. "$(dirname "$0")/lib.sh"

port=$(free_port)
base=http://127.0.0.1:$port
start_server "$port" --origin "$base" --allow-insecure-origin
node "$(dirname "$0")/automation.mjs" "$base"
