"""Whether the tensors of a checkpoint are those of the model that loads them.

mmengine loads without looking: what a checkpoint lacks keeps its random values, and
what the model lacks is dropped, each with a line in the log at most. Here every such
load is watched where mmengine makes it, in ``mmengine.runner.checkpoint``.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import mmengine.runner.checkpoint
from mmdet.models.backbones import SwinTransformer, pvt
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor, nn

from mmmix.apis.replacing import replaced
from mmmix.engine.unwrapped_model import unwrapped
from mmmix.layouts.first_few import first_few

_SHAPES = re.compile(r'size mismatch for (\S+): .*?Size\((.*?)\).*?Size\((.*?)\)')
_FAILED = re.compile(r'(?:size mismatch for|parameter named) "?([^\s":,]+)')
_EXPORT = (
    'It holds a teacher and a student: use the config it was trained with, or take '
    'one out by mmmix export CONFIG CHECKPOINT, which in a checkout is '
    'tools/model_converters/export_detector.py CONFIG CHECKPOINT'
)


def saved_metainfo(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a checkpoint says of the data it was trained on.

    Where the parts of a training set differed in it, that of the first with classes.

    Args:
        meta: Of the checkpoint.
    """
    saved = meta.get('dataset_meta') or {}
    parts = saved if isinstance(saved, (list, tuple)) else [saved]
    found = [part for part in parts if isinstance(part, Mapping)]
    return next((part for part in found if part.get('classes')), {})


class ForeignCheckpointError(ValueError):
    """A file that is no checkpoint, or one of another model."""


@dataclass
class Fit:
    """How a state dict fits a module.

    Attributes:
        own: Elements of each of the module's tensors that a checkpoint holds.
        missing: Tensors of the module that the state dict lacks.
        unexpected: Tensors of the state dict that the module lacks.
        messages: What torch says of tensors that could not be copied.
    """

    own: dict[str, int]
    missing: Sequence[str] = ()
    unexpected: Sequence[str] = ()
    messages: Sequence[str] = ()

    @property
    def mismatched(self) -> dict[str, tuple[str, str]]:
        """Shapes in the file and in the module, where they differ."""
        found = (_SHAPES.search(message) for message in self.messages)
        return {match[1]: (match[2], match[3]) for match in found if match}

    @property
    def fitting(self) -> set[str]:
        """Tensors of the module that were loaded."""
        failed = {
            match[1] for text in self.messages for match in _FAILED.finditer(text)
        }
        return self.own.keys() - set(self.missing) - failed

    @property
    def complete(self) -> bool:
        """Whether nothing is missing, unexpected, or of another shape."""
        return not (self.missing or self.unexpected or self.messages)

    def share(self) -> str:
        """How much of the module was loaded, in words."""
        elements = sum(self.own[name] for name in self.fitting)
        percent = 100 * elements / max(sum(self.own.values()), 1)
        return f'{len(self.fitting)} of {len(self.own)} tensors ({percent:.1f} %)'


@contextmanager
def watched(module: nn.Module) -> Iterator[Fit]:
    """Find out how the state dict fits that a module loads in a block.

    Args:
        module: The module, wrapped or not.

    Yields:
        What is known when the block ends: torch fills the lists while it loads.
    """
    module = unwrapped(module)
    fit = Fit(_elements(module))

    def follow(*args: Any) -> None:
        fit.missing, fit.unexpected, fit.messages = args[-3:]

    handle = module._register_load_state_dict_pre_hook(follow)
    try:
        yield fit
    finally:
        handle.remove()
    fit.missing = [name for name in fit.missing if not _counts_batches(name)]


class FitCheck:
    """Judges the loads that follow the reading of a file.

    A strict load has to fit in full; any other one in part.
    """

    def __init__(self) -> None:
        self._file = 'the checkpoint'
        self._classes: int | None = None

    def read(self, file: str, checkpoint: Mapping[str, Any]) -> None:
        """Note which file is loaded from now on."""
        self._file = file
        meta = checkpoint.get('meta')
        meta = meta if isinstance(meta, Mapping) else {}
        saved = saved_metainfo(meta) or meta
        classes = saved.get('classes') or saved.get('CLASSES')
        self._classes = len(classes) if isinstance(classes, (tuple, list)) else None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Watch mmengine's loads, and those of mmdet's backbones that go another way.

        Raises:
            ForeignCheckpointError: From the loads, if they do not fit.
        """
        library = mmengine.runner.checkpoint
        stock = library.load_state_dict
        stock = getattr(stock, '__wrapped__', stock)
        ours = functools.wraps(stock)(functools.partial(self._load, stock))
        of_swin = nn.Module.load_state_dict

        def load_swin(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            with watched(module) as fit:
                result = of_swin(module, *args, **kwargs)
            self._judge(module, fit, strict=False)
            return result

        with ExitStack() as stack:
            for owner in (library, pvt):
                stack.enter_context(replaced(owner, 'load_state_dict', ours))
            swin = replaced(SwinTransformer, 'load_state_dict', load_swin)
            stack.enter_context(swin)
            yield

    def _load(
        self,
        stock: Any,
        module: nn.Module,
        state_dict: Any,
        strict: bool = False,
        logger: Any = None,
    ) -> None:
        """Do as ``load_state_dict`` of mmengine, which raises on rank 0 only."""
        with watched(module) as fit:
            stock(module, state_dict, False, 'silent' if strict else logger)
        self._judge(module, fit, strict)

    def _judge(self, module: nn.Module, fit: Fit, strict: bool) -> None:
        """Raise if a load does not fit, and say how much of it does."""
        if fit.complete:
            return
        module = unwrapped(module)
        name, classes = type(module).__name__, self._other_classes(module, fit)
        if strict:
            raise ForeignCheckpointError(
                f'{self._file} is no checkpoint of this model: {fit.share()} fit. '
                f'{classes}{_what_differs(fit)}'
            )
        if fit.own and not fit.fitting:
            raise ForeignCheckpointError(
                f'{self._file} has nothing for this {name}, '
                f'which would keep its initial weights. {classes}{_what_differs(fit)}'
            )
        print_log(
            f'{self._file} fits {fit.share()} of {name}. {classes}',
            logger='current',
            level=logging.WARNING if fit.missing or fit.messages else logging.INFO,
        )

    def _other_classes(self, module: nn.Module, fit: Fit) -> str:
        """A sentence for a checkpoint of another number of classes, else nothing."""
        for name, (saved, own) in fit.mismatched.items():
            head = _head_of(module, name)
            if head is None:
                continue
            found = _classes(saved, own, head)
            other = found not in (None, head.num_classes)
            if other and self._classes in (None, found):
                return (
                    f'It was trained for {found} classes, this model has '
                    f'{head.num_classes} ({name}: {saved} in the file, {own} in the '
                    'model). '
                )
        return ''


def load_strictly(runner: Runner) -> None:
    """Make a Runner refuse a checkpoint that is not wholly its model's."""
    runner.load_checkpoint = functools.partial(runner.load_checkpoint, strict=True)


def _counts_batches(name: str) -> bool:
    """Whether a buffer counts batches; checkpoints of old torch have none."""
    return name.endswith('num_batches_tracked')


def _elements(module: nn.Module) -> dict[str, int]:
    """Elements of the tensors of a module that belong into a checkpoint."""
    found: dict[str, int] = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        kept = part._buffers.keys() - part._non_persistent_buffers_set
        tensors = {**part._parameters, **{name: part._buffers[name] for name in kept}}
        for name, value in tensors.items():
            if isinstance(value, Tensor) and not _counts_batches(name):
                found['.'.join(filter(None, (prefix, name)))] = value.numel()
    return found


def _what_differs(fit: Fit) -> str:
    """Names of tensors, and what to do."""
    parts = {
        'missing': list(fit.missing),
        'unexpected': list(fit.unexpected),
        'of another shape': [
            f'{name}, {saved} instead of {own}'
            for name, (saved, own) in fit.mismatched.items()
        ],
    }
    text = '; '.join(
        f'{len(names)} {kind}: {first_few(names, 3)}'
        for kind, names in parts.items()
        if names
    )
    pairs = ('teacher.', 'student.')
    if any(name.removeprefix('module.').startswith(pairs) for name in fit.unexpected):
        return f'{text}. {_EXPORT}'
    return f'{text}. Take the checkpoint that belongs to the config'


def _head_of(module: nn.Module, name: str) -> nn.Module | None:
    """The innermost part of a module that a tensor is in and that counts classes."""
    head = None
    for step in name.split('.')[:-1]:
        module = getattr(module, step, None)
        if isinstance(getattr(module, 'num_classes', None), int):
            head = module
    return head


def _classes(saved: str, own: str, head: nn.Module) -> int | None:
    """Classes of a classifier, from how its channels compare with the model's.

    Args:
        saved: Shape in the file, as ``'[84, 512, 3, 3]'``.
        own: Shape in the model.
        head: Has ``num_classes``.
    """
    saved_channels, own_channels = (
        int(re.search(r'\d+', shape)[0]) if re.search(r'\d+', shape) else 0
        for shape in (saved, own)
    )
    outputs = getattr(head, 'cls_out_channels', None)
    more = [outputs - head.num_classes] if isinstance(outputs, int) else [1, 0, 5]
    for extra in more:
        anchors, rest = divmod(own_channels, head.num_classes + extra)
        if anchors and not rest and saved_channels % anchors == 0:
            return saved_channels // anchors - extra
    return None
