#!/bin/sh
# Writes the secrets of compose.yaml, once: deploy/compose/secrets.sh
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
write() { [ -e "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"; }
write waypost_token "$(random)"
write grafana_password "$(random)"
write redis_url "redis://:$(random)@redis:6379/0"
# Compose mounts the files as they are, for users of other numbers than yours; on this machine the directory hides them.
chmod 0444 secrets/*
