#!/bin/sh
# Puts together the pieces beside it: sh unpack.sh [FOLDER]
# Needs sh, coreutils, tar and gzip.
set -eu
pieces=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-fusemesh}"
target=$(cd "${1:-fusemesh}" && pwd)

cd "$pieces"
if ! sha256sum -c SHA256SUMS; then
  echo "Some pieces are missing or damaged: copy them again." >&2
  exit 1
fi
while read -r name folder; do
  mkdir -p "$target/$folder"
  cat "$name".tar.gz.* | gzip -dc | tar -xf - -C "$target/$folder"
done < ARCHIVES
echo
echo "Run: $target/prove-gpu.sh"
