#!/bin/sh
# Runs what docs/clients.md prints, at a small host (host.mjs): its `sh` blocks by one shell, and its JSON. The addresses, the
# name's password and the key are those of this run. Besides, what its sections say of Subsonic's and OPDS's clients.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
document=${CLIENTS_DOCUMENT:-$here/../../docs/clients.md}

printed=k3f8-9q2m-x0ta-7bnd
head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$work/encryption-key"
chmod 600 "$work/encryption-key"
port=$(free_port)
base=http://localhost:$port
start_server "$port" --origin "$base" --encryption-key-file "$work/encryption-key"

status -X POST "$base/api/one-time-access-token/setup" >/dev/null
admin=$(first_cookie)
new_key() { # new_key SCOPE
    status -H "Authorization: Bearer $admin" \
        -d "{\"name\":\"a host\",\"expiresAt\":\"2099-12-31T23:59:59Z\",\"scopes\":[\"$1\"]}" "$base/api/api-keys" >/dev/null
    json .token
}
as_admin() { # as_admin METHOD PATH BODY
    status -X "$1" -H "Authorization: Bearer $admin" -d "$3" "$base$2"
}
as_admin POST /api/services '{"slug":"music","isOpenToEveryone":true}' >/dev/null
as_admin POST /api/users '{"username":"bob"}' >/dev/null
as_admin POST "/api/users/$(json .id)/one-time-access-token" '{}' >/dev/null
status -X POST "$base/api/one-time-access-token/$(json .token)" >/dev/null
bob=$(first_cookie)
make() { # make NAME REST: the app password; its id is then in $id
    status -H "Authorization: Bearer $bob" -d "{\"name\":\"$1\",\"service\":\"music\"$2}" "$base/api/app-passwords" >/dev/null
    password=$(json .password)
    id=$(json .id)
}

KEY=$(new_key app_passwords:verify)
export KEY
node "$here/host.mjs" "$base" "$KEY" music >"$work/host" &
started="$started $!"
wait_for http "$work/host"
host=$(cat "$work/host")

# The blocks of one language, each in a file of its own: block.sh.1, block.json.1 …
awk -v work="$work" '
    /^```/ && kind != "" { kind = ""; next }
    /^```(sh|json)$/ { kind = substr($0, 4); file = work "/block." kind "." ++count[kind]; next }
    kind != "" { print >file }
' "$document"
of_this_run() { # of_this_run FILE: with this run's addresses and password
    sed "s#https://music.example#$host#; s#https://id.example#$base#; s#$printed#$password#" "$1"
}
run_block() { # run_block NUMBER: what it prints
    of_this_run "$work/block.sh.$1" >"$work/script"
    sed -i 's#^curl #curl --silent --noproxy "*" --max-time 30 #' "$work/script"
    sh -eu "$work/script"
}
member() { # member EXPRESSION: of the JSON on standard input
    node -e 'const b = JSON.parse(require("fs").readFileSync(0)); console.log(eval("b" + process.argv[1]))' "$1"
}
basic() { # basic PASSWORD PATH: the status
    status -u "bob:$1" "$host$2"
}

check "clients: the document has two commands and one JSON" "2 1" \
    "$(find "$work" -name 'block.sh.*' | wc -l) $(find "$work" -name 'block.json.*' | wc -l)"
make "curl" ""
check "clients: the form of an app password" "$(printf %s "$printed" | sed 's/[0-9a-z]/x/g')" \
    "$(printf %s "$password" | sed 's/[0-9a-z]/x/g')"
check "clients: curl -u is let in" "songs for bob" "$(run_block 1)"
check "clients: the host's question" "bob music false" \
    "$(run_block 2 >"$work/answer"; member '.user.username' <"$work/answer") $(member '.service' <"$work/answer") $(member '.administrator' <"$work/answer")"
check "clients: OPDS sends Basic" "200 $(printf '<title>books</title>')" \
    "$(basic "$password" /opds) $(grep -o '<title>.*</title>' "$work/body")"
check "clients: a wrong password wants Basic" "401 1" \
    "$(basic 0000-0000-0000-0000 /songs) $(grep -ci '^www-authenticate: basic' "$work/headers")"
check "clients: nothing shown wants Basic" 401 "$(status "$host/songs")"

subsonic() { # subsonic QUERY
    status "$host/rest/ping.view?u=bob&c=player&v=1.16.1&f=json&$1" >/dev/null
    json '["subsonic-response"].status'
}
hexadecimal() {
    printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
}
salted() { # salted PASSWORD: t and s, by md5sum
    salt=c19b2d
    echo "t=$(printf %s "$1$salt" | md5sum | cut -d ' ' -f 1)&s=$salt"
}
check "clients: Subsonic's p" ok "$(subsonic "p=$password")"
check "clients: Subsonic's p in hexadecimal" ok "$(subsonic "p=enc:$(hexadecimal "$password")")"
check "clients: Subsonic's wrong p" failed "$(subsonic "p=0000-0000-0000-0000")"
check "clients: t and s want one that was made as recoverable" failed "$(subsonic "$(salted "$password")")"
make "player" ',"recoverable":true'
check "clients: Subsonic's t and s" ok "$(subsonic "$(salted "$password")")"
check "clients: as somebody types it" ok "$(subsonic "$(salted "$(printf %s "$password" | tr -d - | tr a-z A-Z)")")"
check "clients: another salt" failed "$(subsonic "$(salted "$password" | sed 's/c19b2d/c19b2e/')")"
salted "$password" >"$work/salted"
of_this_run "$work/block.json.1" | sed "s/\"token\": \"[0-9a-f]*\"/\"token\": \"$(sed 's/t=\(.*\)&.*/\1/' "$work/salted")\"/" >"$work/question"
check "clients: the question with a token" "200 bob" \
    "$(status -H "X-API-Key: $KEY" -H 'Content-Type: application/json' -d "@$work/question" "$base/api/app-passwords/verify") $(json .user.username)"
check "clients: revoked" 204 "$(status -X DELETE -H "Authorization: Bearer $bob" "$base/api/app-passwords/$id")"
check "clients: t and s are over with it" failed "$(subsonic "$(salted "$password")")"

KEY=$(new_key app_passwords:read)
check "clients: a key without the scope cannot ask" 403 "$(status -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \
    -d "@$work/question" "$base/api/app-passwords/verify")"
