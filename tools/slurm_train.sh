#!/usr/bin/env bash
# Train on a cluster that Slurm manages.
#
#   tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [arguments of train.py]
#
# Environment: GPUS (default 8), GPUS_PER_NODE (8), CPUS_PER_TASK (5), SRUN_ARGS,
# PYTHON (default: an active environment's, else .venv's, else python).

set -euo pipefail

if [ $# -lt 4 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi

. "$(dirname "$0")/launch.sh"
launch_slurm "$1" "$2" train.py "$3" --work-dir="$4" "${@:5}"
