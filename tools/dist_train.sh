#!/usr/bin/env bash
# Train with several processes per machine: on GPUs, or on the CPU without any.
#
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
#
# Environment: PYTHON (default: an active environment's, else .venv's, else python);
# for several machines NNODES, NODE_RANK and MASTER_ADDR; PORT (default: a free one
# on a single machine, else 29500).

set -euo pipefail

if [ $# -lt 2 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi

CONFIG=$1
GPUS=$2
NNODES=${NNODES:-1}
NODE_RANK=${NODE_RANK:-0}
MASTER_ADDR=${MASTER_ADDR:-"127.0.0.1"}
ROOT=$(cd "$(dirname "$0")/.." && pwd)

if [ -z "${PYTHON:-}" ]; then
    PYTHON=python
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$ROOT/.venv/bin/python" ]; then
        PYTHON=$ROOT/.venv/bin/python
    fi
fi

if [ "$NNODES" = 1 ] && [ -z "${PORT:-}" ]; then
    RENDEZVOUS=(--standalone)
else
    RENDEZVOUS=(
        --nnodes="$NNODES"
        --node_rank="$NODE_RANK"
        --master_addr="$MASTER_ADDR"
        --master_port="${PORT:-29500}"
    )
fi

PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}" exec "$PYTHON" \
    -m torch.distributed.run \
    "${RENDEZVOUS[@]}" \
    --nproc_per_node="$GPUS" \
    "$ROOT/tools/train.py" \
    "$CONFIG" \
    --launcher pytorch "${@:3}"
