#!/bin/sh
# A key makes a service for a group; somebody in it asks whether they may use it, as a proxy would. The body comes with curl's
# own type, as in the examples of the README.
. "$(dirname "$0")/lib.sh"

port=$(free_port)
base=http://localhost:$port
start_server "$port" --origin "$base"

status -X POST "$base/api/one-time-access-token/setup" >/dev/null
setup=$(first_cookie)
status -H "Authorization: Bearer $setup" -d '{"name":"automation","expiresAt":"2099-12-31T23:59:59Z"}' \
    "$base/api/api-keys" >/dev/null
key=$(json .token)

as_admin() { # as_admin METHOD PATH [BODY]
    status -X "$1" -H "X-API-Key: $key" ${3:+-d "$3"} "$base$2"
}
authorize() { # authorize SLUG: “status allowed reason”, or “status code” where there is no decision
    code=$(status -H "Authorization: Bearer $credential" "$base/api/services/$1/authorize")
    case $code in
        200 | 403) echo "$code $(json .allowed) $(json .reason)" ;;
        *) echo "$code $(json .code)" ;;
    esac
}

check "services: a group" 201 "$(as_admin POST /api/user-groups '{"name":"friends"}')"
friends=$(json .id)
check "services: one for it" 201 "$(as_admin POST /api/services \
    "{\"slug\":\"films\",\"name\":\"Films & series\",\"origins\":[\"https://films.example\"],\"userGroupIds\":[\"$friends\"]}")"
films=$(json .id)
check "services: a group that is not there leaves nothing" 400 "$(as_admin POST /api/services \
    "{\"slug\":\"half\",\"userGroupIds\":[\"$films\"]}")"
check "services: nothing is left" 404 "$(as_admin GET /api/services/half/authorize)"
check "services: bob" 201 "$(as_admin POST /api/users "{\"username\":\"bob\",\"userGroupIds\":[\"$friends\"]}")"
bob=$(json .id)
check "services: a code for bob" 201 "$(as_admin POST "/api/users/$bob/one-time-access-token" '{}')"
check "services: bob is in" 200 "$(status -X POST "$base/api/one-time-access-token/$(json .token)")"
credential=$(first_cookie)
check "services: bob may" "200 true group" "$(authorize films)"
credential=$key
check "services: the administrator may not" "403 false no_group" "$(authorize films)"
check "services: open to everyone" 200 "$(as_admin PUT "/api/services/$films/access" \
    '{"isOpenToEveryone":true,"userGroupIds":[]}')"
check "services: now they may" "200 true everyone" "$(authorize films)"
check "services: deleted" 204 "$(as_admin DELETE "/api/services/$films")"
check "services: gone" "404 not_found" "$(authorize films)"
