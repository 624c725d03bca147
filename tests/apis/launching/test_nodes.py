"""The machines of a run."""

from __future__ import annotations

import socket

import pytest

from mmmix.apis.launching import nodes


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    """Only what a test sets; returns the function that sets some."""
    names = (
        *('SLURM_STEP_NUM_NODES', 'SLURM_NNODES', 'GROUP_WORLD_SIZE', 'NNODES'),
        *('OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_SIZE'),
        *('MASTER_ADDR', 'GLOO_SOCKET_IFNAME', 'TORCHELASTIC_RUN_ID'),
    )
    for name in names:
        monkeypatch.setenv(name, 'set, so that it is restored')
        monkeypatch.delenv(name)

    def set_all(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


SEVERAL = [
    ('slurm', {'SLURM_NNODES': '2'}),
    ('slurm', {'SLURM_STEP_NUM_NODES': '2', 'SLURM_NNODES': '2'}),
    ('mpi', {'OMPI_COMM_WORLD_SIZE': '4', 'OMPI_COMM_WORLD_LOCAL_SIZE': '2'}),
    ('pytorch', {'NNODES': '2'}),
    ('pytorch', {'GROUP_WORLD_SIZE': '2'}),
]
ONE = [
    ('slurm', {}),
    ('slurm', {'SLURM_STEP_NUM_NODES': '1', 'SLURM_NNODES': '2'}),
    ('mpi', {'OMPI_COMM_WORLD_SIZE': '4', 'OMPI_COMM_WORLD_LOCAL_SIZE': '4'}),
    ('pytorch', {}),
    ('pytorch', {'GROUP_WORLD_SIZE': '1', 'NNODES': '2'}),
]


@pytest.mark.parametrize(('launcher', 'given'), SEVERAL)
def test_several_machines_must_not_meet_on_themselves(launcher, given, variables):
    variables(**given)
    assert nodes.several_nodes(launcher)
    nodes.check_master(launcher)  # Nothing is said of it: the launcher finds it.
    variables(MASTER_ADDR='n7')
    nodes.check_master(launcher)
    for address in ('', 'localhost', '127.0.1.1', '::1'):
        variables(MASTER_ADDR=address)
        with pytest.raises(ValueError, match=f"MASTER_ADDR='{address}' is every mach"):
            nodes.check_master(launcher)
    variables(TORCHELASTIC_RUN_ID='they have met')
    nodes.check_master(launcher)


@pytest.mark.parametrize(('launcher', 'given'), ONE)
def test_one_machine_may(launcher, given, variables):
    variables(**given, MASTER_ADDR='127.0.0.1')
    assert not nodes.several_nodes(launcher)
    nodes.check_master(launcher)


def test_the_network_to_the_first_machine(variables, monkeypatch):
    """Not that of the host's name; a choice of the user stays."""
    interfaces = {name for _, name in socket.if_nameindex()}
    own = nodes.own_address('192.0.2.1')
    if not own or own.startswith('127.'):
        pytest.skip('this machine has no network')
    variables(MASTER_ADDR=own)
    nodes.choose_interface()
    chosen = nodes.os.environ['GLOO_SOCKET_IFNAME']
    assert chosen in interfaces
    assert chosen != 'lo'
    assert nodes.own_address(own) == own
    variables(GLOO_SOCKET_IFNAME='ib0')
    nodes.choose_interface()
    assert nodes.os.environ['GLOO_SOCKET_IFNAME'] == 'ib0'


def test_a_name_that_is_this_machine_itself(variables, monkeypatch):
    """The first machine, if its own name is 127.0.1.1 there: the way out is taken."""
    asked = []
    addresses = {'first': '127.0.1.1', '192.0.2.1': '10.1.1.1'}
    monkeypatch.setattr(
        nodes, 'own_address', lambda other: asked.append(other) or addresses[other]
    )
    monkeypatch.setattr(nodes, '_interface', {'10.1.1.1': 'eth7'}.get)
    variables(MASTER_ADDR='first')
    nodes.choose_interface()
    assert asked == ['first', '192.0.2.1']
    assert nodes.os.environ['GLOO_SOCKET_IFNAME'] == 'eth7'


def test_nothing_is_chosen_on_one_machine(variables):
    nodes.choose_interface()
    variables(MASTER_ADDR='127.0.0.1')
    nodes.choose_interface()
    assert 'GLOO_SOCKET_IFNAME' not in nodes.os.environ
