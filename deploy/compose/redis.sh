#!/bin/sh
# Starts Redis with the password of a secret, which so stays out of the command line and the environment.
set -eu
umask 077
sed -n 's|^redis://:\([^@]*\)@.*|requirepass \1|p' /run/secrets/redis_url >/tmp/redis.conf
[ -s /tmp/redis.conf ] || { echo "redis_url must be redis://:PASSWORD@redis:6379/0" >&2; exit 1; }
exec redis-server /tmp/redis.conf --save "" --maxmemory 256mb --maxmemory-policy noeviction "$@"
