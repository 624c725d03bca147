"""Counting what a GPU would be asked to do, on a CPU.

On a GPU a step costs what is launched, and what is waited for: a value that Python
reads, or a result whose size depends on values, stops the queue. Both can be counted
on a CPU, where the same operations are dispatched.

Not seen are kernels that bypass torch's dispatcher (mmcv's NMS and RoIAlign count as
what they call of torch), and where a tensor would live: reading one that stays on
the host even in a run on a GPU counts too.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

READS = {
    'aten::_local_scalar_dense': 'value',
    'aten::is_nonzero': 'value',
    'aten::equal': 'equal',
    'aten::nonzero': 'nonzero',
    'aten::masked_select': 'masked_select',
    'aten::_unique2': 'unique',
    'aten::unique_dim': 'unique',
    'aten::unique_consecutive': 'unique',
    'aten::repeat_interleave': 'repeat_interleave',
}
"""Operations whose result Python reads, or whose size depends on values."""

COPIES = {'tolist': 'tolist', 'numpy': 'numpy', 'cpu': 'cpu', '__array__': 'numpy'}
"""Methods of a tensor that take it to the host; on a CPU nothing is dispatched."""

_ALLOCATIONS = (
    *('aten::empty', 'aten::empty_like', 'aten::empty_strided', 'aten::new_empty'),
    *('aten::new_empty_strided', 'aten::_unsafe_view', 'aten::lift_fresh'),
)
_INDEXING = ('aten::index', 'aten::index_put', 'aten::index_put_')
_HERE = (torch.__path__[0], __file__)
_PACKAGE = Path(__file__).parents[2].as_posix()


class Place(NamedTuple):
    """Where something was read or uploaded.

    Attributes:
        kind: Such as ``'value'`` or ``'nonzero'``.
        line: File and line outside torch, such as ``mmdet/models/.../x.py:12``.
        via: The line of this project that led there; the same if it is ours, ``''``
            if none is.
        section: The part of the step.
    """

    kind: str
    line: str
    via: str
    section: str


class OperationCounter:
    """Counts while it is entered.

    Attributes:
        operations: By section; views and allocations launch nothing and are left out.
        reads: Values that a GPU would be waited for.
        uploads: Tensors made of Python numbers, and what is sent with
            ``non_blocking=True``: copies from the host.
    """

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.reads: Counter[Place] = Counter()
        self.uploads: Counter[Place] = Counter()
        self._sections = ['']

    def __enter__(self) -> OperationCounter:
        self._modes = ExitStack()
        self._modes.enter_context(_Functions(self))
        self._modes.enter_context(_Dispatches(self))
        return self

    def __exit__(self, *error: Any) -> None:
        self._modes.close()

    def enter(self, section: str) -> None:
        """Begin a section; what it does counts there, and no longer outside."""
        self._sections.append(section)

    def leave(self) -> None:
        """Go back to the section before."""
        self._sections.pop()

    def watch(self, module: torch.nn.Module, section: str) -> None:
        """Let the calls of a module be a section."""
        module.register_forward_pre_hook(lambda *_: self.enter(section), prepend=True)
        module.register_forward_hook(lambda *_: self.leave(), always_call=True)

    def count(self, func: Any, args: Sequence[Any]) -> None:
        """Count a dispatched operation."""
        name = func._schema.name
        if _launches(func):
            self.operations[self._sections[-1]] += 1
        kind = READS.get(name)
        if name in _INDEXING and any(_is_mask(index) for index in args[1]):
            kind = 'mask as index'
        if kind is not None:
            self.reads[self.place(kind)] += 1

    def place(self, kind: str) -> Place:
        """Where the program is."""
        line, via = _lines(sys._getframe(1))
        return Place(kind, line, via, self._sections[-1])


class _Dispatches(TorchDispatchMode):
    """What reaches torch's dispatcher."""

    def __init__(self, counter: OperationCounter) -> None:
        super().__init__()
        self._counter = counter

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        self._counter.count(func, args)
        return func(*args, **(kwargs or {}))


class _Functions(TorchFunctionMode):
    """Calls that copy between host and device without a trace on a CPU."""

    def __init__(self, counter: OperationCounter) -> None:
        super().__init__()
        self._counter = counter

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs, name = kwargs or {}, getattr(func, '__name__', '')
        counter = self._counter
        if name in COPIES or (name == 'to' and _to_host(args, kwargs)):
            counter.reads[counter.place(COPIES.get(name, 'cpu'))] += 1
        # What is made on the host is sent without waiting for the device.
        sent = name == 'to' and kwargs.get('non_blocking', False)
        made = name in ('tensor', 'as_tensor') and kwargs.get('device') is not None
        made = made and not isinstance(args[0], torch.Tensor)
        if made or sent or name == 'new_tensor':
            counter.uploads[counter.place('upload')] += 1
        return func(*args, **kwargs)


def _launches(func: Any) -> bool:
    """Whether an operation computes something: no view, no mere allocation."""
    schema = func._schema
    if schema.name in _ALLOCATIONS:
        return False
    aliases = [result.alias_info for result in schema.returns]
    return not any(alias is not None and not alias.is_write for alias in aliases)


def _is_mask(index: Any) -> bool:
    return isinstance(index, torch.Tensor) and index.dtype in (torch.bool, torch.uint8)


def _to_host(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether ``Tensor.to`` names the CPU, not the tensor's own device object."""
    targets = [*args[1:2], kwargs.get('device')]
    return any(isinstance(target, str) and target == 'cpu' for target in targets)


def _lines(frame: FrameType | None) -> tuple[str, str]:
    """The innermost line outside torch, and the innermost one of this project."""
    line = ''
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith(_HERE):
            here = f'{_short(path)}:{frame.f_lineno}'
            line = line or here
            if here.startswith('mmmix/'):
                return line, here
        frame = frame.f_back
    return line, ''


def _short(path: str) -> str:
    """A path from its package on."""
    path = path.replace('\\', '/')
    for marker in ('/site-packages/', '/dist-packages/'):
        if marker in path:
            return path.rpartition(marker)[2]
    inside = path.startswith(f'{_PACKAGE}/')  # a checkout may be called mmmix too
    return path[len(_PACKAGE) - len('mmmix') :] if inside else path.rpartition('/')[2]
