#!/bin/sh
# A proxy keeps its connections to the server, and must not find one closed just when it sends a request: a POST then is a
# 502. The server keeps them for longer than the proxy, here with both times shortened.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")

port=$(free_port)
start_server "$port" --origin "http://localhost:$port" --trusted-proxy 127.0.0.1 --keep-alive 3s

start_nginx "$(free_port)" "proxy_pass http://keyplate; proxy_http_version 1.1; proxy_set_header Connection '';
    proxy_set_header Host localhost:$port;" \
    "upstream keyplate { server 127.0.0.1:$port; keepalive 64; keepalive_timeout 2s; }"
# At the end of nginx's own time, and at the end of the server's, when nginx has long given up.
check "nginx: POSTs at the moment of the time-outs" "0 of 200" \
    "$(node "$here/aimed.mjs" "http://127.0.0.1:$nginx_port" 2000 3000 2000 3000)"
stop_server

# A head must be there after ten seconds; that is no time for a connection that is idle.
port=$(free_port)
start_server "$port" --origin "http://localhost:$port" --trusted-proxy 127.0.0.1
start_nginx "$(free_port)" "proxy_pass http://keyplate; proxy_http_version 1.1; proxy_set_header Connection '';
    proxy_set_header Host localhost:$port;" \
    "upstream keyplate { server 127.0.0.1:$port; keepalive 64; }"
check "nginx with its own times: POSTs after the time of a head" "0 of 200" \
    "$(node "$here/aimed.mjs" "http://127.0.0.1:$nginx_port" 10000 10000 10020 10040)"
stop_server

if command -v caddy >/dev/null; then
    port=$(free_port)
    start_server "$port" --origin "http://localhost:$port" --trusted-proxy 127.0.0.1 --keep-alive 3s
    caddy_port=$(free_port)
    cat >"$work/Caddyfile" <<CONF
{
    admin off
    auto_https off
    storage file_system $work/caddy
}
http://127.0.0.1:$caddy_port {
    reverse_proxy 127.0.0.1:$port {
        header_up Host localhost:$port
        transport http {
            keepalive 2s
            keepalive_idle_conns_per_host 64
        }
    }
}
CONF
    HOME=$work caddy run --config "$work/Caddyfile" --adapter caddyfile 2>"$work/caddy.log" &
    started="$! $started"
    for _ in $(seq 100); do
        curl --silent --noproxy '*' --output /dev/null "http://127.0.0.1:$caddy_port/" && break
        sleep 0.05
    done
    check "Caddy: POSTs at the moment of the time-outs" "0 of 200" \
        "$(node "$here/aimed.mjs" "http://127.0.0.1:$caddy_port" 2000 3000 2000 3000)"
fi
