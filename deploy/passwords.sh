#!/bin/sh
# Makes the passwords by which the containers of compose.yaml log in to NATS, once: deploy/.env, which Compose reads.
set -eu
umask 077
file="$(dirname "$0")/.env"
if [ -e "$file" ]; then
  echo "$file is there already: it stays as it is."
  exit 0
fi
for kind in TEACHER FEEDER ROLLOUT TRAINER TARGET VIEWER; do
  # A letter first: what begins with a digit nats-server may read as a number.
  echo "FUSEMESH_${kind}_PASSWORD=p$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
done >"$file.new"
mv "$file.new" "$file"
echo "$file has a password for each kind of process."
