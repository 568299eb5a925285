#!/bin/sh
# What run.sh starts in namespaces of its own: the names, folders and ports of docs/proxy.md are free here.
set -eu
ip link set lo up
# An address of this machine at which no proxy is known.
ip address add 198.51.100.7/32 dev lo
for name in nginx caddy; do
    mkdir "$KEYPLATE_WORK/$name"
    mount --bind "$KEYPLATE_WORK/$name" "/etc/$name"
done
echo "127.0.0.1 localhost id.example films.example books.example evil.example" >"$KEYPLATE_WORK/hosts"
mount --bind "$KEYPLATE_WORK/hosts" /etc/hosts
exec node --test --test-concurrency=1 --test-timeout=300000 \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$KEYPLATE_WORK/report" "$@"
