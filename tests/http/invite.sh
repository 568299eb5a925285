#!/bin/sh
# An administrator's key invites a friend, and hands a code to somebody whom it has made. Each reaches what is his own.
. "$(dirname "$0")/lib.sh"

port=$(free_port)
base=http://localhost:$port
start_server "$port" --origin "$base"

check "invite: setup" 200 "$(status -X POST "$base/api/one-time-access-token/setup")"
setup=$(first_cookie)
check "invite: a key" 201 "$(status -H "Authorization: Bearer $setup" \
    -d '{"name":"automation","expiresAt":"2099-12-31T23:59:59Z"}' "$base/api/api-keys")"
key=$(json .token)
check "invite: complete, by the key" 200 "$(status -X POST -H "X-API-Key: $key" "$base/api/setup/complete")"
check "invite: the setup session is dead" 401 "$(status -H "Authorization: Bearer $setup" "$base/api/users")"

as_admin() { # as_admin METHOD PATH [BODY]
    status -X "$1" -H "X-API-Key: $key" ${3:+-d "$3"} "$base$2"
}
json_type='Content-Type: application/json'
sign_up() { # sign_up NAME TOKEN
    status -H "$json_type" -d "{\"username\":\"$1\",\"token\":\"$2\"}" "$base/api/signup"
}

check "invite: sign-up is disabled at first" 403 "$(sign_up bob kp_inv_x)"
check "invite: because it is" open_signup_disabled "$(json .code)"
check "invite: with tokens from now on" 200 \
    "$(as_admin PUT /api/application-configuration '{"allowUserSignups":"withToken"}')"
check "invite: a group" 201 "$(as_admin POST /api/user-groups '{"name":"friends","friendlyName":"Friends"}')"
group=$(json .id)
check "invite: a token for two" 201 \
    "$(as_admin POST /api/signup-tokens "{\"ttl\":\"24h\",\"usageLimit\":2,\"userGroupIds\":[\"$group\"]}")"
token=$(json .token)
token_id=$(json .id)

check "invite: a look at it uses nothing" 200 \
    "$(status -H "$json_type" -d "{\"token\":\"$token\"}" "$base/api/signup/inspect")"
check "invite: the friend signs up" 201 "$(sign_up bob "$token")"
check "invite: he is in the group" friends "$(json '.userGroups[0].name')"
check "invite: he is no administrator" false "$(json .isAdmin)"
bob=$(json .id)
cookie="keyplate-$port-access_token=$(first_cookie)"

as_bob() { # as_bob METHOD PATH [BODY]
    status -X "$1" -H "Cookie: $cookie" -H "$json_type" ${3:+-d "$3"} "$base$2"
}
check "invite: he sees himself" 200 "$(as_bob GET /api/users/me)"
check "invite: his name" bob "$(json .username)"
check "invite: he changes his names" 200 "$(as_bob PUT /api/users/me '{"firstName":"Bob"}')"
check "invite: he sees his sessions" 1 "$(as_bob GET /api/sessions >"$work/status"; json .pagination.totalItems)"
check "invite: he sees what he did" 200 "$(as_bob GET /api/audit-logs)"
check "invite: a key of his own" 201 \
    "$(as_bob POST /api/api-keys '{"name":"player","expiresAt":"2099-12-31T23:59:59Z"}')"
bobs_key=$(json .token)
for path in /api/users "/api/users/$bob" /api/user-groups /api/signup-tokens "/api/signup-tokens/$token_id/redemptions" \
    /api/application-configuration/all /api/audit-logs/all; do
    check "invite: he does not see $path" 403 "$(as_bob GET "$path")"
    check "invite: nor does his key see $path" 403 "$(status -H "X-API-Key: $bobs_key" "$base$path")"
done
check "invite: he invites nobody" 403 "$(as_bob POST /api/signup-tokens '{}')"
check "invite: he hands out no code" 403 "$(as_bob POST "/api/users/$bob/one-time-access-token" '{}')"
check "invite: he stays in his groups" 403 "$(as_bob PUT "/api/users/$bob/user-groups" '{"userGroupIds":[]}')"

check "invite: a taken name" 409 "$(sign_up BOB "$token")"
check "invite: uses nothing" 1 "$(as_admin GET "/api/signup-tokens/$token_id" >"$work/status"; json .usageCount)"
check "invite: paused" 200 "$(as_admin PUT "/api/signup-tokens/$token_id" '{"enabled":false}')"
check "invite: nobody gets in" 401 "$(sign_up carol "$token")"
check "invite: resumed, with approval" 200 \
    "$(as_admin PUT "/api/signup-tokens/$token_id" '{"enabled":true,"approval":true}')"
check "invite: the second waits" 202 "$(sign_up carol "$token")"
carol=$(json .id)
carols="keyplate-$port-access_token=$(first_cookie)"
check "invite: she sees that she waits" pending \
    "$(status -H "Cookie: $carols" "$base/api/users/me" >"$work/status"; json .status)"
check "invite: and nothing else" 403 "$(status -H "Cookie: $carols" "$base/api/api-keys")"
check "invite: approved" 200 "$(as_admin POST "/api/users/$carol/approve")"
check "invite: she is in" 200 "$(status -H "Cookie: $carols" "$base/api/api-keys")"
check "invite: the token is used up" 401 "$(sign_up eve "$token")"
check "invite: 2 of 2" "2 of 2" \
    "$(as_admin GET "/api/signup-tokens/$token_id" >"$work/status"; echo "$(json .usageCount) of $(json .usageLimit)")"

check "code: sign-up is disabled" 200 \
    "$(as_admin PUT /api/application-configuration '{"allowUserSignups":"disabled"}')"
check "code: an administrator still makes users" 201 "$(as_admin POST /api/users '{"username":"dora"}')"
dora=$(json .id)
check "code: and hands out a code" 201 "$(as_admin POST "/api/users/$dora/one-time-access-token" '{"ttl":"15m"}')"
code=$(json .token | tr 'A-Z' 'a-z')
check "code: it signs in, typed small" 200 "$(status -X POST "$base/api/one-time-access-token/$code")"
check "code: the right one" dora "$(json .username)"
check "code: once" 401 "$(status -X POST "$base/api/one-time-access-token/$code")"
line=$("$KEYPLATE_SERVER" one-time-token dora --data "$folder/data" --origin "$base" | sed -n 's/^code: //p')
check "code: from the command line" 200 "$(status -X POST "$base/api/one-time-access-token/$line")"
