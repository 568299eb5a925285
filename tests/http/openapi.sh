#!/bin/sh
# Checks the server's own OpenAPI document against the running server: schemathesis makes requests out of it, and every answer
# must be one that it describes, and none a fault of the server. The seed and the number of tries are fixed, and so is the
# version, which comes from PyPI into a folder that is kept.
. "$(dirname "$0")/lib.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=${KEYPLATE_CACHE:-$root/.cache}/schemathesis-venv

wanted="schemathesis==4.32.5"
if [ "$(cat "$venv/.wanted" 2>/dev/null)" != "$wanted" ]; then
    {
        python3 -m venv --clear "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$wanted"
    } >&2
    echo "$wanted" >"$venv/.wanted"
fi

cat >"$work/plan.toml" <<'END'
[settings]
signup_mode = "open"

[[users]]
username = "admin"
role = "administrator"

[[api_keys]]
owner = "admin"
name = "schemathesis"
scopes = ["*", "roles:write"]
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

# What ends its own key, or the only administrator's rights, is left out: the rest would see only 401.
schemathesis() {
    (cd "$work" && NO_PROXY='*' no_proxy='*' "$venv/bin/schemathesis" --config-file /dev/null run "$base/api/openapi.json" "$@") \
        >"$work/report" 2>&1 && echo passed || echo failed
}
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance
result=$(schemathesis --header "X-API-Key: $key" --checks "$checks" --max-examples 12 --seed 1 \
    --phases examples,coverage,fuzzing,stateful --no-color --exclude-operation-id delete_api_api_keys_id)
check "openapi: every answer is one that the document describes" passed "$result"
[ "$result" = passed ] || cat "$work/report" >&2
calls=$(grep -c '' "$work/log")
check "openapi: no fault of the server" 0 "$(grep -cE ' 5[0-9][0-9] [0-9]+ms' "$work/log")"
check "openapi: there were more than 1000 calls" yes "$([ "$calls" -gt 1000 ] && echo yes || echo "no, $calls")"
echo "openapi: $calls calls" >&2
