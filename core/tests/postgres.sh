#!/usr/bin/env bash
# Runs core's facade tests on a PostgreSQL server of their own: `./test postgres`.
#
# The cluster lies in a temporary folder, speaks on a Unix socket alone, and is gone afterwards. The server refuses to run as
# root, so root makes it as another user.
set -uo pipefail
cd "$(dirname "$0")/../.."

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || bin=$(pg_config --bindir) || exit 1

base=${TMPDIR:-/tmp}
[ ! -d /dev/shm ] || base=/dev/shm
folder=$(mktemp -d "$base/keyplate-postgres.XXXXXX")
as_server=()
if [ "$(id -u)" -eq 0 ]; then
    user=postgres
    id -u "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$folder"
    as_server=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups)
fi
stop() {
    "${as_server[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' INT TERM

cd "$folder" || exit 1
"${as_server[@]}" "$bin/initdb" -D "$folder/data" -U keyplate -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb" 2>&1 || {
    cat "$folder/initdb"
    exit 1
}
# What is lost with the machine is no loss here.
"${as_server[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" -o "-k $folder -c listen_addresses='' -c fsync=off \
    -c max_connections=300 -c shared_buffers=64MB -c min_wal_size=32MB -c max_wal_size=128MB" start >/dev/null || {
    cat "$folder/data/log"
    exit 1
}
cd - >/dev/null || exit 1

# What is about a file, and not about what is in it. Each has a reason.
files=(
    migrations          # older files; the first schema on a server is 8
    upgraded_meanwhile  # another process that upgrades the file
    # The file's lock, held by another program.
    a_refusal_that_cannot_be_written_now_is_written_later
    a_plan_with_nothing_to_do_takes_no_lock
    only_the_host_applies_plans_and_storage_errors_stay_what_they_are
    # The bytes and the length of the file and its log.
    beyond_the_limit_nothing_is_written
    no_secret_is_on_disk_in_the_log_or_in_any_debug_text
    beginning_to_sign_in_leaves_nothing_behind
    the_tokens_secret_is_nowhere_in_the_file
    statistics_count_what_works
    # Faults of a path, and `back_up_to`.
    options_that_cannot_work
    conflicts_with_what_is_stored
    rules_that_values_break
    requests_end_with_a_reset_and_a_restored_copy
)
skips=()
for name in "${files[@]}"; do skips+=(--skip "$name"); done
echo "skipped: ${#files[@]} tests or groups of tests that are about a file"

# `%2F` is how a URL writes the folder of a socket.
KEYPLATE_TEST_SERVER="postgres://keyplate@${folder//\//%2F}/postgres" \
    cargo test --quiet --no-fail-fast -p keyplate --features postgres --test facade -- "${skips[@]}" "$@"
