#!/bin/sh
# A device is signed in by a client that others wrote, Authlib, as RFC 8628 has it, while somebody approves it. Authlib comes
# from PyPI into a folder that is kept.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=${KEYPLATE_CACHE:-$root/.cache}/authlib-venv

wanted="authlib==1.9.6 requests==2.34.2"
if [ "$(cat "$venv/.wanted" 2>/dev/null)" != "$wanted" ]; then
    {
        python3 -m venv --clear "$venv"
        # shellcheck disable=SC2086 # two packages
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
    } >&2
    echo "$wanted" >"$venv/.wanted"
fi

port=$(free_port)
base=http://localhost:$port
start_server "$port" --origin "$base"
status -X POST "$base/api/one-time-access-token/setup" >/dev/null
session=$(first_cookie)
decide() { # decide WHAT CODE
    status -H "Authorization: Bearer $session" -H 'Content-Type: application/json' -d "{\"userCode\":\"$2\"}" \
        "$base/api/device/$1"
}
begin() { # begin NAME [SECRET]: a device that writes what it learns to $work/NAME
    name=$1
    shift
    # Authlib wants HTTPS, and at home there may be none.
    NO_PROXY='*' AUTHLIB_INSECURE_TRANSPORT=1 "$venv/bin/python" "$here/device.py" "$base" "$@" \
        >"$work/$name" 2>"$work/$name.log" &
    device=$!
    started="$started $device"
    wait_for slow_down "$work/$name"
    code=$(sed -n 's/^code \([^ ]*\) .*/\1/p' "$work/$name")
}
learned() { # learned NAME EXPECTED: what the device is told after its code, until its end
    wait "$device" || cat "$work/$1.log" >&2
    check "device: what a $1 one is told" "$2 " "$(sed 1d "$work/$1" | tr '\n' ' ')"
}

begin public
check "device: where its code is typed" "$base/device" "$(sed -n 's/^code [^ ]* //p' "$work/public")"
check "device: a page is there" 200 "$(status "$base/device")"
check "device: it is looked at" 200 "$(decide inspect "$code")"
check "device: its name" television "$(json .deviceName)"
check "device: it is approved" 204 "$(decide approve "$code")"
learned public "authorization_pending slow_down token Bearer True me 200 admin invalid_grant"

begin denied with-a-secret-of-its-own
check "device: another is looked at" 200 "$(decide inspect "$code")"
check "device: and denied" 204 "$(decide deny "$code")"
learned denied "authorization_pending slow_down access_denied"
