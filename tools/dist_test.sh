#!/usr/bin/env bash
# Test with several processes per machine: on GPUs, or on the CPU without any.
#
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
#
# Environment: PYTHON (default: an active environment's, else .venv's, else python);
# PORT (default: a free one on a single machine, else 29500, or by the number of a Slurm
# job); MAX_RESTARTS of failed processes (0). For several machines, on each of them:
# NNODES, NODE_RANK and MASTER_ADDR, the first one's; PyTorchJob, SkyPilot, Slurm and
# MPI set their own, which are read in this order. LOCAL_ADDR is the address of this
# one, if it is not found right. Exit code after SIGTERM 143, SIGINT 130, SIGUSR1 138.

set -euo pipefail

if [ $# -lt 3 ]; then
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi

. "$(dirname "$0")/launch.sh"
launch_dist "$3" test.py "$1" "$2" "${@:4}"
