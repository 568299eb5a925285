# What the scripts here share. Each prints `ok …` or `not ok …` for every check; run.sh counts them.

set -eu
work=$(mktemp -d)
started=""
trap 'for pid in $started; do kill -- "$pid" 2>/dev/null || :; done; wait; rm -rf "$work"' EXIT

check() { # check NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then
        echo "ok $1"
    else
        echo "not ok $1: expected $2, got $3"
    fi
}

free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'
}

# Starts a server in a fresh folder: start_server PORT OPTION…; `link_token` is then the setup link's token.
start_server() {
    port=$1
    shift
    folder=$(mktemp -d "$work/server.XXXXXX")
    "$KEYPLATE_SERVER" --data "$folder/data" --listen "127.0.0.1:$port" "$@" >"$folder/out" 2>"$folder/log" &
    server=$!
    started="$started $server"
    wait_for "setup link" "$folder/out"
    link_token=$(sed -n 's/^setup link: .*#token=//p' "$folder/out")
}

stop_server() {
    kill "$server"
    wait "$server" 2>/dev/null || :
}

# Starts Debian's nginx: start_nginx PORT DIRECTIVES [DIRECTIVES] with what stands in its one location, and before its server.
start_nginx() {
    nginx_port=$1
    directives=$2
    before=${3:-}
    prefix=$(mktemp -d "$work/nginx.XXXXXX")
    chmod 755 "$work" "$prefix"
    cat >"$prefix/nginx.conf" <<CONF
pid $prefix/nginx.pid;
error_log $prefix/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $prefix/body;
    proxy_temp_path $prefix/proxy;
    fastcgi_temp_path $prefix/fastcgi;
    uwsgi_temp_path $prefix/uwsgi;
    scgi_temp_path $prefix/scgi;
    $before
    server {
        listen 127.0.0.1:$nginx_port;
        location / {
            $directives
        }
    }
}
CONF
    nginx -c "$prefix/nginx.conf" -p "$prefix" -e "$prefix/error.log" -g 'daemon off;' &
    started="$! $started"
    for _ in $(seq 100); do
        curl --silent --noproxy '*' --output /dev/null "http://127.0.0.1:$nginx_port/" && return
        sleep 0.05
    done
    echo "not ok nginx does not start"
    cat "$prefix/error.log" >&2
    exit 1
}

wait_for() { # wait_for TEXT FILE
    for _ in $(seq 200); do
        grep -q "$1" "$2" 2>/dev/null && return
        sleep 0.05
    done
    echo "not ok waited in vain for \"$1\""
    cat "$2" >&2
    exit 1
}

# The status of a request; the body goes to $work/body, the headers to $work/headers.
status() {
    curl --silent --noproxy '*' --max-time 30 --output "$work/body" --dump-header "$work/headers" \
        --write-out '%{http_code}' "$@" || :
}

first_cookie() {
    sed -n 's/^[Ss]et-[Cc]ookie: [^=]*=\([^;]*\).*/\1/p' "$work/headers" | head -n 1
}

# The text of a member of the JSON object in $work/body: json '.apiKey.name'
json() {
    node -e 'const b = JSON.parse(require("fs").readFileSync(process.argv[1])); console.log(eval("b" + process.argv[2]))' \
        "$work/body" "$1"
}
