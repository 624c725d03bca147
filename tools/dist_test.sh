#!/usr/bin/env bash
# Test with several processes per machine: on GPUs, or on the CPU without any.
#
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
#
# Environment: PYTHON (default: an active environment's, else .venv's, else python);
# for several machines NNODES, NODE_RANK and MASTER_ADDR; PORT (default: a free one
# on a single machine, else 29500).

set -euo pipefail

if [ $# -lt 3 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi

. "$(dirname "$0")/launch.sh"
launch_dist "$3" test.py "$1" "$2" "${@:4}"
