#!/bin/sh
# A proxy that adds no header makes the whole world look like this machine: nobody may set up through it without the
# setup link. Neither may another site's page, a host name that was made to point here, or a form.
. "$(dirname "$0")/lib.sh"

json_type='Content-Type: application/json'
eve='{"username":"eve"}'
claim() {
    url=$1
    shift
    status -H "$json_type" -d "$eve" "$@" "$url/api/signup/setup"
}
script() {
    url=$1
    shift
    status -X POST "$@" "$url/api/one-time-access-token/setup"
}

port=$(free_port)
base=http://localhost:$port
start_server "$port" --origin "$base"

start_nginx "$(free_port)" "proxy_pass http://localhost:$port;"
proxy=http://127.0.0.1:$nginx_port
for host in "127.0.0.1:$nginx_port" "localhost:$port" localhost id.example evil.example "[::1]:$port"; do
    check "stock nginx, Host $host: no claim without the link" 401 "$(claim "$proxy" -H "Host: $host")"
    check "stock nginx, Host $host: nor the older way" 401 "$(script "$proxy" -H "Host: $host")"
done
check "stock nginx, HTTP/1.0 to it too" 401 "$(claim "$proxy" --http1.0)"
check "stock nginx: a wrong token" 401 "$(claim "$proxy" -H 'X-Setup-Token: kp_set_wrong')"

start_nginx "$(free_port)" "proxy_pass http://127.0.0.1:$port;"
check "stock nginx, by address: not our host name" 421 "$(claim "http://127.0.0.1:$nginx_port")"
check "stock nginx, by address: nor with ours" 421 "$(claim "http://127.0.0.1:$nginx_port" -H "Host: localhost:$port")"

check "a page of another origin" 403 "$(claim "$base" -H 'Origin: https://evil.example')"
check "a page in a sandbox" 403 "$(claim "$base" -H 'Origin: null')"
check "a page of another site" 403 "$(claim "$base" -H 'Sec-Fetch-Site: cross-site')"
check "the older way from another origin" 403 "$(script "$base" -H 'Origin: https://evil.example')"
check "a rebound host name" 421 "$(claim "$base" -H "Host: evil.example:$port")"
check "a rebound host name, the older way" 421 "$(script "$base" -H "Host: evil.example:$port")"
check "a form" 415 "$(status -d 'username=eve' "$base/api/signup/setup")"
check "a form of plain text" 415 "$(status -H 'Content-Type: text/plain' -d "$eve" "$base/api/signup/setup")"
check "a form without fields" 415 \
    "$(script "$base" -H 'Content-Type: application/x-www-form-urlencoded' -H 'Content-Length: 0')"
check "a form from another site" 403 "$(status -H 'Origin: https://evil.example' -d 'a=b' "$base/api/signup/setup")"

check "after all that it is open still" 204 "$(status "$base/api/signup/setup")"
check "with the link it goes through nginx" 200 "$(claim "$proxy" -H "X-Setup-Token: $link_token")"
stop_server

# As the README has it: the public origin, the host name passed on, the proxy trusted for the address.
port=$(free_port)
start_server "$port" --origin https://id.example --trusted-proxy 127.0.0.1
start_nginx "$(free_port)" "proxy_pass http://127.0.0.1:$port; proxy_set_header Host \$host;
    proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;"
proxy=http://127.0.0.1:$nginx_port
check "README's nginx: another host" 421 "$(claim "$proxy" -H 'Host: evil.example')"
check "README's nginx: no claim without the link" 401 "$(claim "$proxy" -H 'Host: id.example')"
check "README's nginx: nor past it" 401 "$(claim "http://127.0.0.1:$port" -H 'Host: id.example')"
check "README's nginx: with the link" 200 \
    "$(claim "$proxy" -H 'Host: id.example' -H "X-Setup-Token: $link_token" -H 'X-Forwarded-For: 203.0.113.9')"
check "README's nginx: the cookie is for this host alone" 1 \
    "$(grep -ci '^set-cookie: __Host-access_token=.*; Secure' "$work/headers")"
session=$(first_cookie)
check "README's nginx: the session works" 200 \
    "$(status -H 'Host: id.example' -H "Authorization: Bearer $session" "$proxy/api/sessions")"
# This test's own client is at the trusted address too, so what it said counts.
check "README's nginx: the client's address" 203.0.113.9 "$(json '.data[0].ipAddress')"
