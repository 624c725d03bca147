# Functions of dist_*.sh and slurm_*.sh, which describe the environment variables.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"

# The command that was given, which a stopped run names to go on with; with the
# variables that make this machine one of several, where they were given by hand.
MMMIX_COMMAND=
if [ -n "${NNODES:-}" ]; then
    for name in NNODES NODE_RANK MASTER_ADDR PORT MAX_RESTARTS; do
        [ -z "${!name:-}" ] || MMMIX_COMMAND+="$name=${!name} "
    done
fi
printf -v MMMIX_COMMAND '%s%q' "$MMMIX_COMMAND" "$0"
for name in "$@"; do
    printf -v MMMIX_COMMAND '%s %q' "$MMMIX_COMMAND" "$name"
done
# Since when: a checkpoint that is newer is of this job, which torchrun started anew.
MMMIX_STARTED=${EPOCHREALTIME:-$(date +%s)}
MMMIX_STARTED=${MMMIX_STARTED/,/.}
export MMMIX_COMMAND MMMIX_STARTED

if [ -z "${PYTHON:-}" ]; then
    PYTHON=python
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$ROOT/.venv/bin/python" ]; then
        PYTHON=$ROOT/.venv/bin/python
    fi
fi

# Where the run has its nodes from, unless NNODES says it: PyTorchJob of Kubeflow,
# SkyPilot, a step of Slurm with one task a node, or mpirun with one process a node.
find_nodes() {
    local from='' first=''
    if [ -n "${NNODES:-}" ]; then
        return 0
    elif [ -n "${PET_NNODES:-}" ]; then
        from='PyTorchJob (PET_NNODES)'
        NNODES=$PET_NNODES NODE_RANK=${PET_NODE_RANK:-0}
        first=${PET_MASTER_ADDR:-${PET_RDZV_ENDPOINT%:*}}
        PORT=${PORT:-${PET_MASTER_PORT:-}}
    elif [ -n "${WORLD_SIZE:-}" ] && [ -n "${RANK:-}" ]; then
        from='PyTorchJob (WORLD_SIZE, RANK)'
        NNODES=$WORLD_SIZE NODE_RANK=$RANK PORT=${PORT:-${MASTER_PORT:-}}
        # Older operators call the first pod so to itself.
        [ "$RANK${MASTER_ADDR:-}" != 0localhost ] || MASTER_ADDR=$(hostname)
    elif [ -n "${SKYPILOT_NUM_NODES:-}" ]; then
        from='SkyPilot (SKYPILOT_NUM_NODES)'
        NNODES=$SKYPILOT_NUM_NODES NODE_RANK=$SKYPILOT_NODE_RANK
        first=${SKYPILOT_NODE_IPS%%[[:space:]]*}
    elif [ -n "${SLURM_STEP_NUM_NODES:-}" ]; then
        from='Slurm (SLURM_STEP_NUM_NODES)'
        NNODES=$SLURM_STEP_NUM_NODES NODE_RANK=$SLURM_NODEID
        if [ "$NNODES" != 1 ] && [ -z "${MASTER_ADDR:-}" ]; then
            first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
        fi
        # Jobs may share a node.
        [ "$NNODES" = 1 ] || PORT=${PORT:-$((20000 + 10 * ${SLURM_JOB_ID:-0} % 10000))}
        one_a_node "$((${SLURM_LOCALID:-0} + 1))" 'srun --ntasks-per-node=1'
    elif [ -n "${OMPI_COMM_WORLD_SIZE:-}" ]; then
        from='MPI (OMPI_COMM_WORLD_SIZE)'
        NNODES=$OMPI_COMM_WORLD_SIZE NODE_RANK=$OMPI_COMM_WORLD_RANK
        one_a_node "${OMPI_COMM_WORLD_LOCAL_SIZE:-1}" 'mpirun --map-by ppr:1:node'
    else
        [ "${SLURM_JOB_NUM_NODES:-1}" = 1 ] ||
            echo "only this node of the $SLURM_JOB_NUM_NODES nodes of the job takes" \
                'part; to start the script on all: srun --ntasks-per-node=1' "$0" >&2
        return 0
    fi
    MASTER_ADDR=${MASTER_ADDR:-$first}
    echo "nodes by $from: NNODES=$NNODES NODE_RANK=$NODE_RANK" \
        "MASTER_ADDR=${MASTER_ADDR:-}" >&2
}

# one_a_node NUMBER COMMAND: refuse a script that a node has started several times; each
# would start the processes of all its GPUs.
one_a_node() {
    [ "$1" = 1 ] && return 0
    echo "$0 is started at least $1 times on this node, and starts the processes of" \
        "all its GPUs itself: start it once a node, by $2" >&2
    exit 2
}

# Nodes that look for the first one on their own machine would wait for ever.
check_master() {
    case ${MASTER_ADDR:-} in
        '' | localhost | 127.* | ::1)
            echo "NNODES=$NNODES needs MASTER_ADDR, the name or address by which all" \
                "nodes reach the first one; got '${MASTER_ADDR:-}'" >&2
            exit 2
            ;;
    esac
}

# The address by which other machines reach this one. torchrun would take the name of
# the host, which many a machine knows as 127.0.1.1, and others do not know.
local_address() {
    if [ "${NODE_RANK:-}" = 0 ]; then
        echo "$MASTER_ADDR"
        return
    fi
    "$PYTHON" -c 'import socket, sys
family, kind, _, _, other = socket.getaddrinfo(sys.argv[1], 9, type=2)[0]
with socket.socket(family, kind) as probe:
    probe.connect(other)  # of datagrams: nothing is sent
    own = probe.getsockname()[0]
print("" if own == "::1" or own.startswith("127.") else own)' \
        "$MASTER_ADDR" 2>/dev/null || true
}

# The processes that another one has started. Small images have no ps, a Mac no /proc.
processes_of() {
    if [ -r /proc/self/status ]; then
        grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | cut -d / -f 3
    else
        ps -A -o pid=,ppid= | awk -v parent="$1" '$2 == parent { print $1 }'
    fi
}

# tell_processes SIGNAL TORCHRUN: a signal to the processes of torchrun, which save, and
# when they have ended, to torchrun. By itself it would kill them after 30 s, and start
# them again after SIGUSR1 where it may restart some.
tell_processes() {
    local told
    told=$(processes_of "$2") || true
    # Numbers, split into words on purpose.
    # shellcheck disable=SC2086
    while [ -n "$told" ] && kill -"$1" $told 2>/dev/null; do
        set -- 0 "$2"
        sleep 0.1
    done
    kill -TERM "$2" 2>/dev/null || true
}

# Python starts the processes; a signal to this script is theirs, and its exit code is
# theirs too: 143 after SIGTERM, 130 after SIGINT, 138 after SIGUSR1; also where the
# signal came to another machine. A second one ends torchrun, and so them, at once.
run_and_pass_signals() {
    local child status=0
    stopped=0
    MMMIX_EXIT_CODE=$(mktemp)
    export MMMIX_EXIT_CODE
    trap 'rm -f "$MMMIX_EXIT_CODE"' EXIT
    set -m # a group of its own: the terminal's Ctrl-C comes once, by the trap
    "$@" &
    child=$!
    trap 'pass_signal 143 TERM "$child"' TERM
    trap 'pass_signal 130 INT "$child"' INT
    trap 'pass_signal 138 USR1 "$child"' USR1
    wait "$child" || status=$?
    # A signal ends `wait`, but not the child.
    while kill -0 "$child" 2>/dev/null; do
        status=0
        wait "$child" || status=$?
    done
    [ "$status" = 0 ] || [ ! -s "$MMMIX_EXIT_CODE" ] || status=$(cat "$MMMIX_EXIT_CODE")
    [ "$stopped" = 0 ] || status=$stopped
    exit "$status"
}

# pass_signal CODE SIGNAL TORCHRUN
pass_signal() {
    if [ "$stopped" = 0 ]; then
        tell_processes "$2" "$3" &
    elif [ "$2" != USR1 ]; then
        kill -"$2" "$3" 2>/dev/null || true
    fi
    stopped=$1
}

# launch_dist GPUS SCRIPT [arguments of tools/SCRIPT]
launch_dist() {
    local rendezvous=(--standalone)
    find_nodes
    if [ "${NNODES:-1}" != 1 ]; then
        check_master
        rendezvous=(
            --nnodes="$NNODES"
            --rdzv-backend=c10d
            --rdzv-endpoint="$MASTER_ADDR:${PORT:-29500}"
            --rdzv-id="${RDZV_ID:-${SLURM_JOB_ID:-mmmix}}"
        )
        if [ -n "${NODE_RANK:-}" ]; then
            local host=0
            [ "$NODE_RANK" != 0 ] || host=1
            rendezvous+=(--rdzv-conf="is_host=$host")
        fi
        local own
        own=${LOCAL_ADDR:-$(local_address)}
        [ -z "$own" ] || rendezvous+=(--local-addr="$own")
    elif [ -n "${PORT:-}" ]; then
        rendezvous=(--master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="$PORT")
    fi
    # torchrun would tell a machine that comes back nothing of where the first one is: it
    # notes that once, in the store of its first round.
    export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
    # Of the nodes and of the script alone: torchrun would read them as its own.
    unset WORLD_SIZE RANK "${!PET_@}"
    run_and_pass_signals "$PYTHON" -m torch.distributed.run "${rendezvous[@]}" \
        --max-restarts="${MAX_RESTARTS:-0}" \
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
