"""A teacher's tensors beside its student's, matched by name."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from mmmix.functional import (
    copy_update,
    ema_update,
    group_pairs,
    relative_distance,
)


class TeacherPairs:
    """Parameters and buffers of a teacher and its student, matched by name.

    The teacher's names count: what only the student has, such as an auxiliary
    head, is left alone. Buffers are those of the state dict. Parameters are looked
    up once; buffers at each update, since a module may replace them.

    Args:
        teacher: Module that is written to.
        student: Module that is read.

    Raises:
        ValueError: If the student lacks a tensor of the teacher, or has it in
            another shape, dtype or on another device.
    """

    def __init__(self, teacher: nn.Module, student: nn.Module) -> None:
        known = dict(student.named_parameters(remove_duplicate=False))
        pairs = [
            _checked(name, parameter, known.get(name))
            for name, parameter in teacher.named_parameters()
        ]
        self._parameters = group_pairs(pairs)
        self._slots = list(_buffer_slots(teacher, student))

    def copy(self) -> None:
        """Make the teacher equal to the student, bit by bit."""
        for targets, sources in [*self._parameters, *self._buffers()]:
            copy_update(targets, sources)

    def update(self, momentum: float, average_buffers: bool) -> None:
        """Average the parameters, and copy the buffers or average them too.

        Args:
            momentum: Weight of the student, in [0, 1].
            average_buffers: Average floating-point buffers; others are copied.
        """
        for averages, values in self._parameters:
            ema_update(averages, values, momentum)
        for targets, sources in self._buffers():
            if average_buffers and targets[0].is_floating_point():
                ema_update(targets, sources, momentum)
            else:
                copy_update(targets, sources)

    def distance(self) -> Tensor:
        """Distance of the parameters relative to the student's norm, a scalar."""
        teachers = [t for targets, _ in self._parameters for t in targets]
        students = [s for _, sources in self._parameters for s in sources]
        return relative_distance(teachers, students)

    def _buffers(self) -> list[tuple[list[Tensor], list[Tensor]]]:
        """The present buffers, in groups."""
        return group_pairs((t[name], s[name]) for t, s, name in self._slots)


def _buffer_slots(
    teacher: nn.Module, student: nn.Module
) -> Iterator[tuple[dict, dict, str]]:
    """Where teacher and student keep each buffer of the state dict."""
    known = dict(student.named_modules(remove_duplicate=False))
    for path, module in teacher.named_modules():
        for name, buffer in module._buffers.items():
            if buffer is None or name in module._non_persistent_buffers_set:
                continue
            theirs = known[path]._buffers if path in known else {}
            _checked(f'{path}.{name}', buffer, theirs.get(name))
            yield module._buffers, theirs, name


def _checked(
    name: str, teacher: Tensor, student: Tensor | None
) -> tuple[Tensor, Tensor]:
    """A pair that fits together.

    Raises:
        ValueError: If it does not.
    """
    got = None if student is None else _layout(student)
    if got != _layout(teacher):
        raise ValueError(
            f'the teacher has {name} of (shape, dtype, device) {_layout(teacher)}, the '
            f'student has {"none" if got is None else got}; both must be built from '
            'the same config'
        )
    return teacher, student


def _layout(tensor: Tensor) -> tuple:
    return tuple(tensor.shape), tensor.dtype, str(tensor.device)
