# Functions of dist_*.sh and slurm_*.sh, which describe the environment variables.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"

if [ -z "${PYTHON:-}" ]; then
    PYTHON=python
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$ROOT/.venv/bin/python" ]; then
        PYTHON=$ROOT/.venv/bin/python
    fi
fi

# launch_dist GPUS SCRIPT [arguments of tools/SCRIPT]
launch_dist() {
    local rendezvous=(--standalone)
    if [ "${NNODES:-1}" != 1 ] || [ -n "${PORT:-}" ]; then
        rendezvous=(
            --nnodes="${NNODES:-1}"
            --node_rank="${NODE_RANK:-0}"
            --master_addr="${MASTER_ADDR:-127.0.0.1}"
            --master_port="${PORT:-29500}"
        )
    fi
    exec "$PYTHON" -m torch.distributed.run "${rendezvous[@]}" \
        --nproc_per_node="$1" \
        "$ROOT/tools/$2" --launcher pytorch "${@:3}"
}

# launch_slurm PARTITION JOB_NAME SCRIPT [arguments of tools/SCRIPT]
launch_slurm() {
    local per_node=${GPUS_PER_NODE:-8}
    set -x
    # SRUN_ARGS is split into words on purpose.
    # shellcheck disable=SC2086
    exec srun -p "$1" \
        --job-name="$2" \
        --gres=gpu:"$per_node" \
        --ntasks="${GPUS:-8}" \
        --ntasks-per-node="$per_node" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" \
        --kill-on-bad-exit=1 \
        ${SRUN_ARGS:-} \
        "$PYTHON" -u "$ROOT/tools/$3" --launcher slurm "${@:4}"
}
