"""Whether a run really mixes and supervises as its config says.

The bases of a config leave ``mix`` and ``supervision`` behind, and the leaf puts
them in place in the model or the pipeline. Redefining the two names further down
has no effect any more; here the built objects tell.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

from mmdet.models.detectors import SemiBaseDetector
from mmdet.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.models.batch_augments import BatchMixer
from mmmix.models.supervisions import Supervision, build_supervision


def check_mixing(runner: Runner, training: bool = True) -> None:
    """Compare ``mix`` and ``supervision`` of a config with what was built.

    Args:
        runner: A Runner built from a config.
        training: Whether the run trains. Then a mixer that is a transform is
            looked for in the training data, which this builds, and a mixer of
            batches with a batch of one is warned about.

    Raises:
        ValueError: If a name is used by nothing, or was redefined although the
            model or the pipeline does not follow it; with the key to set.
    """
    model = unwrapped_model(runner)
    cfg = runner.cfg
    if cfg.get('supervision') is not None:
        placed = _has_key(cfg.model, 'supervision')
        _compare(cfg, 'supervision', _supervisions(model), placed)
    if cfg.get('mix') is not None:
        kind = _mixer_class(cfg.mix)
        if issubclass(kind, nn.Module):
            placed = _has_key(cfg.model, 'batch_augments', 'mixers', 'mixer')
            _compare(cfg, 'mix', _modules(model, kind), placed)
        elif training:
            found = _transforms(runner.train_dataloader.dataset, kind)
            _compare(cfg, 'mix', found, bool(found))
    if training and _modules(model, BatchMixer):
        _warn_batch_of_one(cfg)


def _compare(cfg: Config, name: str, built: Mapping[str, str], placed: bool) -> None:
    """Raise if ``cfg[name]`` was never placed, or was redefined without effect.

    Args:
        cfg: The config.
        name: ``'mix'`` or ``'supervision'``.
        built: Representation of each built mixer or supervision by its place.
        placed: Whether the config mentions it where it belongs. A place may
            hold something else than the base says; that is how it is changed.
    """
    expected = _describe(name, cfg[name])
    if expected not in built.values() and not placed:
        raise ValueError(
            f'the config defines `{name}`, but nothing uses it. Put it in place: '
            f'{_fix(cfg, name, f"_base_.{name}")}; or set {name} = None'
        )
    first = _first_definition(cfg.filename, name) if cfg.filename else None
    if first is None or first == cfg[name] or expected is None:
        return
    stale = [place for place, text in built.items() if text == _describe(name, first)]
    if expected in built.values() and (not stale or expected == built[stale[0]]):
        return
    places = stale or list(built)
    now = f'{places[0]} is still {built[places[0]]}' if places else 'nothing uses it'
    settings = _literal(cfg[name], delete=name == 'supervision')
    raise ValueError(
        f'`{name}` was redefined in {cfg.filename} or by --cfg-options, which has no '
        f'effect: {now}. Do not redefine it, set {_fix(cfg, name, settings, places)}'
    )


def _mixer_class(cfg: Mapping) -> type:
    """The class of a mixer, which is a module or a transform."""
    kind = cfg.get('type')
    if isinstance(kind, str):
        kind = MODELS.get(kind) or TRANSFORMS.get(kind)
    if not isinstance(kind, type):
        raise ValueError(f'`mix` expects a type that is a mixer, got {dict(cfg)}')
    return kind


def _describe(name: str, cfg: Any) -> str | None:
    """What an object built from ``cfg`` says of itself: all its settings.

    None if the leaf has to add what a mixer cannot be built without, such as the
    preprocessor's ``mean``. A wrong setting is none of this module's business, it
    fails when the model is built.
    """
    if name == 'supervision':
        return repr(build_supervision(cfg))
    settings = {key: value for key, value in cfg.items() if key != 'type'}
    try:
        return repr(_mixer_class(cfg)(**settings))
    except (TypeError, ValueError):
        return None


def _modules(model: nn.Module, kind: type) -> dict[str, str]:
    """The mixers inside a model."""
    return {
        place: repr(module)
        for place, module in _config_places(model)
        if isinstance(module, kind)
    }


def _supervisions(model: nn.Module) -> dict[str, str]:
    """The supervisions of a model's heads."""
    return {
        f'{place}.supervision': repr(module.supervision)
        for place, module in _config_places(model)
        if isinstance(getattr(module, 'supervision', None), Supervision)
    }


def _config_places(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules of a model with the keys of the config that built them.

    Student and teacher of a semi-supervised detector are one ``detector`` there.
    """
    for place, module in model.named_modules():
        first, _, rest = place.partition('.')
        if isinstance(model, SemiBaseDetector) and first == 'teacher':
            continue
        if isinstance(model, SemiBaseDetector) and first == 'student':
            first = 'detector'
        yield '.'.join(filter(None, ('model', first, rest))), module


def _transforms(part: Any, kind: type, place: str = 'dataset') -> dict[str, str]:
    """The mixers inside a data set, its wrappers and pipelines."""
    if isinstance(part, kind):
        return {f'train_dataloader.{place}': repr(part)}
    if isinstance(part, (list, tuple)):
        inner = {f'{place}[{index}]': item for index, item in enumerate(part)}
    else:
        names = ('dataset', 'datasets', 'pipeline', 'transforms')
        inner = {f'{place}.{n}': getattr(part, n) for n in names if hasattr(part, n)}
    found: dict[str, str] = {}
    for deeper, item in inner.items():
        found.update(_transforms(item, kind, deeper))
    return found


def _has_key(config: Any, *keys: str) -> bool:
    """Whether a nest of dicts and lists has one of the keys."""
    if isinstance(config, Mapping):
        return any(key in config for key in keys) or any(
            _has_key(value, *keys) for value in config.values()
        )
    return isinstance(config, (list, tuple)) and any(
        _has_key(value, *keys) for value in config
    )


def _first_definition(path: str, name: str) -> Any:
    """The value of a name in the deepest base of a config file that has it."""
    for base in Config._get_base_files(path):
        base_path, _ = Config._get_cfg_path(base, path)
        found = (
            _first_definition(base_path, name) if os.path.isfile(base_path) else None
        )
        if found is not None:
            return found
    return Config.fromfile(path).get(name)


def _fix(cfg: Config, name: str, value: str, places: Any = ()) -> str:
    """The lines of a config that put a mixer or a supervision in place."""
    if name == 'mix' and not issubclass(_mixer_class(cfg.mix), nn.Module):
        return (
            f"train_dataloader=dict(dataset=dict(type='MultiImageMixDataset', "
            f"pipeline=[{value}, dict(type='PackMixInputs')], ...))"
        )
    if name == 'mix' and not any('.mixer' in place for place in places):
        return f'model=dict(data_preprocessor=dict(batch_augments=[{value}]))'
    heads = [place.split('.')[1:] for place in places] or [['bbox_head', name]]
    keys = []
    for head in heads:
        text = value
        for key in reversed(head):
            text = f'dict({key}={text})'
        keys.append(f'model={text}')
    return ' and '.join(keys)


def _literal(value: Any, delete: bool = False) -> str:
    """A value as it is written in a config file."""
    if not isinstance(value, Mapping):
        return repr(value)
    items = [f'{key}={_literal(item)}' for key, item in value.items()]
    return f'dict({", ".join(["_delete_=True"] * delete + items)})'


def _warn_batch_of_one(cfg: Config) -> None:
    """A batch of one has nothing to mix with."""
    if cfg.train_dataloader.get('batch_size', 1) == 1:
        print_log(
            'MixBatch mixes within a batch, and train_dataloader.batch_size is 1: '
            'nothing will be mixed. Raise it, or mix in the dataset with MixImage',
            logger='current',
            level=logging.WARNING,
        )
