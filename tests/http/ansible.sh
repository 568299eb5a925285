#!/bin/sh
# Runs examples/server/ansible/site.yml against a fresh server: once it makes everything, then it changes nothing; what
# somebody took away it makes again. ansible-core comes from PyPI, into a folder that is kept.
. "$(dirname "$0")/lib.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=${KEYPLATE_CACHE:-$root/.cache}/ansible-venv

wanted="ansible-core>=2.16,<2.22"
if [ "$(cat "$venv/.wanted" 2>/dev/null)" != "$wanted" ]; then
    {
        python3 -m venv --clear "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$wanted"
    } >&2
    echo "$wanted" >"$venv/.wanted"
fi

cat >"$work/plan.toml" <<'END'
[[users]]
username = "admin"
role = "administrator"

[[api_keys]]
owner = "admin"
name = "ansible"
scopes = ["*"]
secret_file = "key"
END
(umask 077 && "$KEYPLATE_SERVER" generate-key >"$work/key")
key=$(cat "$work/key")
port=$(free_port)
base=http://localhost:$port
"$KEYPLATE_SERVER" --data "$work/data" --listen "127.0.0.1:$port" --origin "$base" --bootstrap-file "$work/plan.toml" \
    >"$work/out" 2>"$work/log" &
started="$started $!"
wait_for "address: " "$work/out"

as_admin() { # as_admin METHOD PATH [BODY]
    status -X "$1" -H "X-API-Key: $key" ${3:+-d "$3"} "$base$2"
}
# Runs the playbook; gives its counts.
play() {
    env ANSIBLE_HOME="$work/ansible" ANSIBLE_REMOTE_TMP="$work/ansible/tmp" ANSIBLE_NOCOLOR=1 \
        ANSIBLE_LOCALHOST_WARNING=false LC_ALL=C.UTF-8 \
        no_proxy=localhost KEYPLATE_URL="$base" KEYPLATE_API_KEY="$key" KEYPLATE_INVITATION="$work/invitation" \
        "$venv/bin/ansible-playbook" -i localhost, "$@" "$root/examples/server/ansible/site.yml" >"$work/played" 2>&1 ||
        cat "$work/played" >&2
    grep -o ' changed=[0-9]* \| failed=[0-9]* ' "$work/played" | tr -d '\n' | tr -s ' ' || :
}

check "ansible: the first run" " changed=6 failed=0 " "$(play -vvv)"
check "ansible: tells no secret" 0 "$(grep -c -e "$key" -e kp_inv_ "$work/played" || :)"
check "ansible: the second changes nothing" " changed=0 failed=0 " "$(play)"

check "ansible: the group" 200 "$(as_admin GET '/api/user-groups?search=family')"
group=$(json '.data[0].id')
check "ansible: its users" "anna.b bob carol dave erin" \
    "$(as_admin GET "/api/users?group=$group" >"$work/status"; json '.data.map((user) => user.username).sort().join(" ")')"
check "ansible: the service" 200 "$(as_admin GET '/api/services?search=films')"
films=$(json '.data[0].id')
check "ansible: open to the group" "$group" "$(json '.data[0].userGroups[0].id')"
check "ansible: the invitation" 200 "$(as_admin GET /api/signup-tokens)"
check "ansible: for ten, and it ends" "10 true" "$(json '.data.map((token) => `${token.usageLimit} ${!!token.expiresAt}`).join()')"
check "ansible: its link is private" 600 "$(stat -c %a "$work/invitation")"
check "ansible: and lets a friend in" 201 "$(status -H 'Content-Type: application/json' \
    -d "{\"username\":\"frida\",\"token\":\"$(sed 's/.*#token=//' "$work/invitation")\"}" "$base/api/signup")"

check "ansible: somebody closes the service" 200 \
    "$(as_admin PUT "/api/services/$films/access" '{"isOpenToEveryone":false,"userGroupIds":[]}')"
as_admin GET '/api/users?search=bob' >"$work/status"
check "ansible: and puts bob out" 200 "$(as_admin PUT "/api/users/$(json '.data[0].id')/user-groups" '{"userGroupIds":[]}')"
as_admin GET '/api/users?search=erin' >"$work/status"
check "ansible: and deletes erin" 204 "$(as_admin DELETE "/api/users/$(json '.data[0].id')")"
check "ansible: all three are made good" " changed=3 failed=0 " "$(play)"
key=''
check "ansible: without a key it says so" " changed=0 failed=1 " "$(play 2>/dev/null)"
check "ansible: in one line" 1 "$(grep -c 'fatal: .*KEYPLATE_API_KEY is not set' "$work/played")"
