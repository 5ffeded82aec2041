#!/bin/sh
# npm run prove -- gpu, with what is in this folder alone: ./prove-gpu.sh [OPTIONS]; paths are relative to the folder.
set -eu
cd "$(dirname "$0")"
here=$(pwd)
NATS_SERVER="$here/.pack/bin/nats-server"
PATH="$here/.pack/bin:$PATH"
while read -r folder; do
  LD_LIBRARY_PATH="$here/$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done < .pack/library-folders
export NATS_SERVER PATH
[ -z "${LD_LIBRARY_PATH:-}" ] || export LD_LIBRARY_PATH
# Where this machine has its CUDA libraries; and which are missing.
[ ! -f .pack/cuda ] || node --import tsx deploy/cuda/install.ts --cuda "$(cat .pack/cuda)" >&2 || true
exec node --import tsx prove/gpu.ts "$@"
