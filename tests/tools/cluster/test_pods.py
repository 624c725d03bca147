"""The files for Kubernetes and SkyPilot: their fields, and what they start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
CLUSTER = ROOT / 'tools/cluster'


@pytest.fixture
def command(tmp_path):
    """Run a command of the files in the checkout; Python prints its arguments."""
    python = tmp_path / 'python'
    python.write_text(
        f'#!/bin/sh\n[ "$1" != -c ] || exec {sys.executable} "$@"\necho "$@"\n'
    )
    python.chmod(0o755)

    def run(words, **variables):
        done = subprocess.run(
            words,
            env={'PATH': os.environ['PATH'], 'PYTHON': str(python), **variables},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), done.stderr

    return run


def job():
    return yaml.safe_load((CLUSTER / 'pytorchjob.yaml').read_text())


def test_the_fields_of_the_pytorchjob():
    """Those of kubeflow.org/v1, and of the pods that it makes."""
    content = job()
    assert content.keys() == {'apiVersion', 'kind', 'metadata', 'spec'}
    assert (content['apiVersion'], content['kind']) == ('kubeflow.org/v1', 'PyTorchJob')
    spec = content['spec']
    assert spec.keys() == {'runPolicy', 'pytorchReplicaSpecs'}
    assert spec['runPolicy'].keys() <= {'backoffLimit', 'cleanPodPolicy'}
    assert spec['runPolicy']['cleanPodPolicy'] in ('None', 'Running', 'All')
    replicas = spec['pytorchReplicaSpecs']
    assert replicas.keys() == {'Master', 'Worker'}
    assert replicas['Master']['replicas'] == 1
    assert replicas['Master']['template'] == replicas['Worker']['template']
    for replica in replicas.values():
        assert replica.keys() == {'replicas', 'restartPolicy', 'template'}
        assert replica['restartPolicy'] == 'ExitCode'
    pod = replicas['Master']['template']['spec']
    known = {'terminationGracePeriodSeconds', 'containers', 'volumes'}
    assert pod.keys() == known
    (container,) = pod['containers']
    assert container['name'] == 'pytorch'  # by which the operator finds it
    assert all(isinstance(word, str) for word in container['command'])
    assert all(isinstance(entry['value'], str) for entry in container['env'])
    mounted = [mount['name'] for mount in container['volumeMounts']]
    assert mounted == [volume['name'] for volume in pod['volumes']]
    gpus = container['resources']['limits']['nvidia.com/gpu']
    assert container['command'][2] == str(gpus)
    assert (ROOT / container['command'][1]).is_file()


@pytest.mark.parametrize(('rank', 'host'), [('0', '1'), ('1', '0')])
def test_what_the_pods_start(command, rank, host):
    """With the variables that the operator gives them."""
    container = job()['spec']['pytorchReplicaSpecs']['Worker']['template']['spec']
    (container,) = container['containers']
    given = {entry['name']: entry['value'] for entry in container['env']}
    operator = dict(
        PET_NNODES='2',
        PET_NPROC_PER_NODE='auto',
        PET_NODE_RANK=rank,
        PET_MASTER_ADDR='mmmix-master-0',
        PET_MASTER_PORT='23456',
        WORLD_SIZE='2',
        RANK=rank,
        MASTER_ADDR='mmmix-master-0',
        MASTER_PORT='23456',
    )
    said, log = command(container['command'], **given, **operator)
    own = ' --local-addr=mmmix-master-0' if rank == '0' else ''
    assert said == (
        '-m torch.distributed.run --nnodes=2 --rdzv-backend=c10d '
        f'--rdzv-endpoint=mmmix-master-0:23456 --rdzv-id=mmmix '
        f'--rdzv-conf=is_host={host}{own} --max-restarts=20 --nproc_per_node=8 '
        f'{ROOT}/tools/train.py --launcher pytorch configs/ssd300_voc_lossmix.py '
        '--work-dir /outputs/ssd300_voc_lossmix --resume'
    )
    assert 'nodes by PyTorchJob (PET_NNODES): NNODES=2' in log


def test_a_first_pod_that_is_called_localhost_to_itself(command):
    """By older operators; the others know it by its name."""
    words = ['tools/dist_train.sh', 'c.py', '8']
    variables = dict(WORLD_SIZE='2', RANK='0', MASTER_ADDR='localhost')
    said, _ = command(words, **variables, MASTER_PORT='23456')
    assert f'--rdzv-endpoint={os.uname().nodename}:23456 ' in said


SKY = {
    'name': str,
    'num_nodes': int,
    'resources': dict,
    'workdir': str,
    'file_mounts': dict,
    'envs': dict,
    'setup': str,
    'run': str,
}


def sky():
    return yaml.safe_load((CLUSTER / 'skypilot.yaml').read_text())


def test_the_fields_of_the_skypilot_task():
    task = sky()
    assert {key: type(value) for key, value in task.items()} == SKY
    assert task['resources'].keys() == {'accelerators', 'use_spot', 'disk_size'}
    for mount in task['file_mounts'].values():
        assert mount.keys() == {'name', 'mode'}
        assert mount['mode'] in ('MOUNT', 'COPY', 'MOUNT_CACHED')
    assert all(isinstance(value, str) for value in task['envs'].values())
    assert (ROOT / task['envs']['CONFIG']).is_file()
    assert task['setup'].strip() == 'make env'


@pytest.mark.parametrize('rank', ['0', '1'])
def test_what_the_machines_of_skypilot_start(command, tmp_path, rank):
    task = sky()
    # The environment that `setup` makes has another Python in these tests.
    text = task['run'].replace('PYTHON=.venv/bin/python ', '')
    assert text != task['run']
    variables = dict(
        task['envs'],
        SKYPILOT_NUM_NODES='2',
        SKYPILOT_NODE_RANK=rank,
        SKYPILOT_NODE_IPS='head-7\nworker-8',
        SKYPILOT_NUM_GPUS_PER_NODE='8',
    )
    said, log = command(['bash', '-c', text], **variables)
    assert '--nnodes=2 --rdzv-backend=c10d --rdzv-endpoint=head-7:29500' in said
    assert f'is_host={1 - int(rank)}' in said
    assert said.endswith(
        f'--nproc_per_node=8 {ROOT}/tools/train.py --launcher pytorch '
        'configs/ssd300_voc_lossmix.py --work-dir /outputs/ssd300_voc_lossmix --resume'
    )
    assert 'nodes by SkyPilot (SKYPILOT_NUM_NODES): NNODES=2' in log
