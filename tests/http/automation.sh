#!/bin/sh
# From an empty server to a working API key with nothing but curl, as a script on the same machine does it.
. "$(dirname "$0")/lib.sh"

port=$(free_port)
base=http://localhost:$port
start_server "$port" --origin "$base"

check "curl: setup, no body" 200 "$(status -X POST "$base/api/one-time-access-token/setup")"
id=$(json .id)
check "curl: the administrator's name" admin "$(json .username)"
check "curl: setup again" 200 "$(status -X POST "$base/api/one-time-access-token/setup")"
check "curl: the same administrator" "$id" "$(json .id)"
setup=$(first_cookie)
check "curl: the cookie's name" 1 "$(grep -ci '^set-cookie: keyplate-[0-9]*-access_token=kp_ses_' "$work/headers")"

body='{"name":"自动化密钥","description":"made by a script","expiresAt":"2099-12-31T23:59:59Z"}'
check "curl: a key, by Bearer" 201 \
    "$(status -H "Authorization: Bearer $setup" -d "$body" "$base/api/api-keys")"
check "curl: its name" 自动化密钥 "$(json .apiKey.name)"
key=$(json .token)
check "curl: the key works" 200 "$(status -H "X-API-Key: $key" "$base/api/users")"
check "curl: one user" 1 "$(json .pagination.totalItems)"

check "curl: complete" 200 "$(status -X POST -H "Authorization: Bearer $setup" "$base/api/setup/complete")"
check "curl: names the key" 自动化密钥 "$(json '.apiKeys[0].name')"
check "curl: the setup value is dead" 401 "$(status -H "Authorization: Bearer $setup" "$base/api/users")"
check "curl: the older route is closed" 409 "$(status -X POST "$base/api/one-time-access-token/setup")"
check "curl: the newer route is closed" 409 \
    "$(status -H 'Content-Type: application/json' -d '{"username":"eve"}' "$base/api/signup/setup")"
check "curl: the key still works" 200 "$(status -H "X-API-Key: $key" "$base/api/users")"
