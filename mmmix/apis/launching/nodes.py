"""The machines of a run, and how their processes reach each other."""

from __future__ import annotations

import os
import socket
import struct

_LOOPBACK = ('localhost', '::1', '')
_ADDRESS_OF_INTERFACE = 0x8915  # SIOCGIFADDR of Linux
_ELSEWHERE = '192.0.2.1'  # An address for documents: nothing is sent there.


def several_nodes(launcher: str) -> bool:
    """Whether a launcher has started the processes of this run on several machines.

    Args:
        launcher: ``pytorch``, ``slurm`` or ``mpi``.
    """
    found = os.environ.get
    if launcher == 'slurm':
        return int(found('SLURM_STEP_NUM_NODES') or found('SLURM_NNODES') or 1) > 1
    if launcher == 'mpi':
        size = found('OMPI_COMM_WORLD_SIZE')
        return found('OMPI_COMM_WORLD_LOCAL_SIZE', size) != size
    return int(found('GROUP_WORLD_SIZE') or found('NNODES') or 1) > 1


def is_loopback(address: str) -> bool:
    """Whether each machine takes this address or name for itself."""
    return address in _LOOPBACK or address.startswith('127.')


def check_master(launcher: str) -> None:
    """Refuse an address of the first process that each machine takes for itself.

    torchrun's processes have met before they start, so theirs is right.

    Raises:
        ValueError: If ``MASTER_ADDR`` is one, and there are several machines.
    """
    address = os.environ.get('MASTER_ADDR')
    if address is None or 'TORCHELASTIC_RUN_ID' in os.environ:
        return
    if several_nodes(launcher) and is_loopback(address):
        raise ValueError(
            f'--launcher {launcher} on several machines: MASTER_ADDR={address!r} is '
            'every machine itself, and each would wait alone; set it to the name or '
            'address by which all of them reach the first one'
        )


def choose_interface() -> None:
    """Have gloo use the network by which this machine reaches the first one.

    By itself it takes the one of the host's name, which many systems know as
    127.0.0.1 or 127.0.1.1: nobody else can answer there. ``GLOO_SOCKET_IFNAME``, where
    it is set, stays. So it does where the address is not one of IPv4.
    """
    if 'GLOO_SOCKET_IFNAME' in os.environ or 'MASTER_ADDR' not in os.environ:
        return
    if is_loopback(os.environ['MASTER_ADDR']):
        return  # Processes that have met there are on one machine.
    address = own_address(os.environ['MASTER_ADDR'])
    if is_loopback(address):
        address = own_address(_ELSEWHERE)
    name = _interface(address)
    if name:
        os.environ['GLOO_SOCKET_IFNAME'] = name


def own_address(other: str) -> str:
    """The address of this machine that another one sees; empty if there is no way.

    Args:
        other: Address or name of the other machine, which is not called.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((other, 9))
        except OSError:
            return ''
        return str(probe.getsockname()[0])


def _interface(address: str) -> str:
    """The network interface that has an address of IPv4; empty without one."""
    if is_loopback(address):
        return ''
    import fcntl  # Not on Windows.

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            question = struct.pack('256s', name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe, _ADDRESS_OF_INTERFACE, question)
            except OSError:
                continue  # It has no address.
            if socket.inet_ntoa(answer[20:24]) == address:
                return name
    return ''
