"""Configs that mmdet's tools read: a detector to test, without teacher or mixing."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.models.detectors import BaseDetector
from mmdet.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS
from mmengine.config import Config

from mmmix.apis.configs.nests import dicts_in
from mmmix.models import EfficientNetLite
from mmmix.registry import class_of, is_a

_PACKAGE = __name__.partition('.')[0]
_REGISTRIES = (MODELS, TRANSFORMS, METRICS, DATASETS)
# Networks that their stock bases are not: a config with one stays with mmmix.
_NETWORKS = (EfficientNetLite,)
_KEPT = (
    'default_scope',
    'custom_imports',
    'test_dataloader',
    'test_evaluator',
    'test_cfg',
    'default_hooks',
    'env_cfg',
    'vis_backends',
    'visualizer',
    'log_processor',
    'log_level',
)
_SSD_REPAIR = """\
# mmdet's SSDHead never sets an attribute that its prediction reads (mmdetection
# issue 11063). This lets it predict, and does nothing where that is repaired.
head = __import__('mmdet.models').models.SSDHead
if 'loss_cls' not in head.__init__.__code__.co_names:
    head.loss_cls = None
del head

"""


def plain_config(cfg: Config) -> Config:
    """What it takes to test a detector, as mmdet's own tools read it.

    Of a teacher-student config the model is ``model.detector`` with the inner data
    preprocessor. Types of mmmix become the stock types they derive from, and what
    serves training alone, mixing included, is left out. Only a network that mmdet
    does not have stays, with ``custom_imports`` of mmmix.

    Args:
        cfg: The config of a detector, or of a ``SemiBaseDetector`` such as MixTeacher.

    Raises:
        KeyError: If the config has no ``test_dataloader`` or no evaluator.
        ValueError: If the model is no detector of mmdet, or a type of mmmix has no
            stock counterpart.
    """
    for key in ('test_dataloader', 'test_evaluator'):
        if cfg.get(key) is None:
            raise KeyError(
                f'{cfg.filename} has no {key}, which the config of a plain detector '
                'needs for its test pipeline'
            )
    source = cfg.to_dict()
    plain: dict[str, Any] = {'model': _detector(source['model'], has_teacher(cfg))}
    plain |= {key: source[key] for key in _KEPT if source.get(key) is not None}
    plain['test_cfg'] = source.get('test_cfg') or dict(type='TestLoop')
    # DetInferencer cannot do without one.
    plain.setdefault('visualizer', dict(type='DetLocalVisualizer', name='visualizer'))
    plain['default_hooks'] = {
        name: hook
        for name, hook in plain.get('default_hooks', {}).items()
        if hook is None or not _ours(hook.get('type'), HOOKS)
    }
    imports = plain.pop('custom_imports', {})
    names = [name for name in _listed(imports.get('imports')) if not _is_ours(name)]
    plain = _stock(plain)
    if _has(plain['model'], _NETWORKS):
        names.append(_PACKAGE)
    if names:
        plain['custom_imports'] = {**imports, 'imports': names}
    return Config({**plain, 'load_from': None, 'resume': False})


def plain_config_text(cfg: Config, comment: str) -> str:
    """The text of a plain config's file.

    Args:
        cfg: From :func:`plain_config`.
        comment: Its first line, without ``#``; what is not printable in ASCII is
            written as an escape.
    """
    repair = _SSD_REPAIR if _has(cfg.model, ('SSDHead',)) else ''
    # A line break in a file's name would end the comment.
    line = ascii(comment)[1:-1]
    return f'# {line}\n{repair}{cfg.pretty_text}'


def has_teacher(cfg: Config) -> bool:
    """Whether a config's model holds a teacher and a student."""
    return is_a(cfg.get('model'), 'SemiBaseDetector', MODELS)


def _detector(model: Mapping[str, Any], taught: bool) -> dict[str, Any]:
    """The detector of a model, with its preprocessor."""
    if not is_a(model, BaseDetector, MODELS):
        raise ValueError(
            f'model.type={model.get("type")!r} is no detector of mmdet; of a '
            'classifier, --backbone takes the backbone out'
        )
    detector = dict(model['detector'] if taught else model)
    outer = (model.get('data_preprocessor') if taught else None) or {}
    preprocessor = outer.get('data_preprocessor') or detector.get('data_preprocessor')
    if preprocessor is not None:
        detector['data_preprocessor'] = {
            key: value for key, value in preprocessor.items() if key != 'batch_augments'
        }
    if _ours(detector.get('type'), MODELS) and 'detector' in detector:
        return _unwrapped(detector)
    return detector


def _unwrapped(wrapper: Mapping[str, Any]) -> dict[str, Any]:
    """The detector that a wrapper, such as ``LossMixDetector``, says it is."""
    own = {'type', 'detector'} | _own_settings(_ours(wrapper['type'], MODELS))
    settings = {key: value for key, value in wrapper.items() if key not in own}
    inner = wrapper['detector']
    return {**(inner if isinstance(inner, Mapping) else {'type': inner}), **settings}


def _stock(part: Any) -> Any:
    """A nest of dicts and lists with stock types in place of ours."""
    if isinstance(part, (list, tuple)):
        return type(part)(_stock(item) for item in part)
    if not isinstance(part, Mapping):
        return part
    for registry in _REGISTRIES:
        cls = _ours(part.get('type'), registry)
        if cls is not None and cls not in _NETWORKS:
            own = _own_settings(cls)
            part = {key: value for key, value in part.items() if key not in own}
            part['type'] = _stock_name(cls, registry)
            break
    result = {key: _stock(value) for key, value in part.items()}
    # A class is no text that Python reads again.
    if isinstance(result.get('type'), type):
        result['type'] = f'{result["type"].__module__}.{result["type"].__qualname__}'
    return result


def _own_settings(cls: type) -> set[str]:
    """Arguments that our classes add to those of the stock class they derive from."""
    ours: set[str] = set()
    stock: set[str] = set()
    for base in cls.__mro__:
        if '__init__' in vars(base):
            names = inspect.signature(base.__init__).parameters
            (ours if _is_ours(base.__module__) else stock).update(names)
    return ours - stock


def _ours(name: Any, registry: Any) -> type | None:
    """The class of mmmix that a ``type`` names; None if it is none of ours."""
    cls = class_of(name, registry)
    return cls if cls is not None and _is_ours(cls.__module__) else None


def _stock_name(cls: type, registry: Any) -> str:
    """The registered name of the nearest base that is not ours."""
    for base in cls.__mro__:
        if not _is_ours(base.__module__) and registry.get(base.__name__) is base:
            return base.__name__
    raise ValueError(
        f'{cls.__name__} derives from no type of mmdet, which could not read it; '
        'train with a stock type, or use the checkpoint with mmmix'
    )


def _is_ours(module: str) -> bool:
    return module.partition('.')[0] == _PACKAGE


def _listed(imports: Any) -> list[str]:
    """``custom_imports.imports``, which may be a single name."""
    return [imports] if isinstance(imports, str) else list(imports or [])


def _has(model: Any, kinds: Sequence[Any]) -> bool:
    """Whether a part of a model is of one of these types."""
    parts = [part for _, part in dicts_in(model, 'model')]
    return any(is_a(part, kind, MODELS) for part in parts for kind in kinds)
