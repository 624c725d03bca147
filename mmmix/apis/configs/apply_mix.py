"""A method by its name, on any config, those of mmdet included."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.models.detectors import SemiBaseDetector
from mmdet.registry import HOOKS, MODELS
from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from mmmix.apis.configs.config_path import mix_folder, mix_names, no_such_method
from mmmix.apis.configs.mix_heads import (
    carries_labels,
    class_in,
    deaf_losses_of,
    heads_of,
    is_aware,
    use_twins,
)
from mmmix.engine.described_mixers import placed_mixers
from mmmix.mixing import build_supervision
from mmmix.models.alignmix import PairBatch
from mmmix.models.detectors import LossMixDetector
from mmmix.models.teachers import MixedDomainTeacher, MixTeacher
from mmmix.registry import is_a, is_classifier

_HOOKS = ('MixScheduleHook', 'MixPreviewHook')
_TEACHER_HOOKS = ('MixScheduleHook', 'TeacherPreviewHook')


def apply_mix(cfg: Config, name: str, **settings: Any) -> Config:
    """Put a method into a config, in place.

    Stock heads become their mix-aware twins where there is one for every head, any
    other detector is wrapped in ``LossMixDetector``; existing ``batch_augments`` stay
    before the mixer. What was changed is logged and stands in the dumped config.

    Args:
        cfg: A config that trains a detector and does not mix yet.
        name: One of :func:`mix_names`, such as ``'lossmix'``.
        **settings: Settings of the mixer that differ from the method's, and
            ``level`` of ``alignmix``.

    Returns:
        ``cfg``.

    Raises:
        KeyError: If there is no such method, or no model.
        ValueError: If the config mixes already, or the method does not fit the
            detector, or the model is a classifier; with the way out.
    """
    mix = _read_mix(name)
    level = settings.pop('level', None)
    mix = _merged(mix, settings)
    if 'model' not in cfg:
        raise KeyError(f'--mix {name} needs a config with a model')
    if is_classifier(cfg):
        raise ValueError(
            f'--mix {name} is for detectors, and this config is of a classifier '
            f'({cfg.model.get("type")}); mmmix configs lists those that mix'
        )
    _check_unmixed(cfg, name)
    teacher = class_in(cfg.model, MODELS)
    if issubclass(teacher, SemiBaseDetector):
        changes = _mix_teacher(cfg, teacher, mix, name)
        changes += _add_hooks(cfg, _TEACHER_HOOKS)
    else:
        changes = _mix_detector(cfg.model, mix, name, level)
        changes += _add_mixer(cfg, mix)
        changes += _add_hooks(cfg, _HOOKS)
    print_log(f'--mix {name}: ' + '; '.join(changes), logger='current')
    return cfg


def _read_mix(name: str) -> ConfigDict:
    """The mixer of a method.

    Raises:
        KeyError: Naming the methods there are, and the nearest.
    """
    if name not in mix_names():
        raise KeyError(no_such_method(name))
    return copy.deepcopy(Config.fromfile(mix_folder() / f'{name}.py').mix)


def _merged(mix: ConfigDict, settings: Mapping[str, Any]) -> ConfigDict:
    """A mixer with other settings; dicts are merged, as configs are."""
    cfg = Config(dict(mix=mix))
    cfg.merge_from_dict({f'mix.{key}': value for key, value in settings.items()})
    return cfg.mix


def _check_unmixed(cfg: Config, name: str) -> None:
    """Refuse a config that mixes already, and settings of a mixer that is none yet.

    Raises:
        ValueError: Naming the place.
    """
    for mixer in placed_mixers(cfg):
        raise ValueError(
            f'--mix {name}: the config mixes already ({mixer.place} is {mixer}); '
            'take its baseline, or change its settings with --cfg-options'
        )
    augments = (cfg.model.get('data_preprocessor') or {}).get('batch_augments')
    for part in (augments, cfg.model.get('mixers')):
        settings = part.values() if isinstance(part, Mapping) else ()
        if any(isinstance(value, Mapping) for value in settings):
            raise ValueError(
                f'--mix {name}: {dict(part)} are settings of a mixer that the config '
                'does not have before; give them by --mix-options KEY=VALUE'
            )


def _mix_detector(
    model: ConfigDict, mix: ConfigDict, name: str, level: int | None
) -> list[str]:
    """Make a detector read the mixer's supervision; returns what was changed."""
    heads = dict(heads_of(model))
    aware = bool(heads) and all(map(is_aware, heads.values()))
    masked = bool(heads.get('roi_head', {}).get('mask_head'))
    if is_a(mix, PairBatch, MODELS):
        fits = aware and not masked and carries_labels(heads)
        return use_twins(heads) + _wrap_aligned(model, level, fits)
    supervision = build_supervision(mix.get('supervision'))
    if aware and not (masked and supervision.weighs != 'nothing'):
        return use_twins(heads)
    if supervision.weighs == 'nothing':
        return [f'{model.type} is trained as it is']
    if supervision.joint or supervision.weighs == 'boxes':
        what = 'its masks' if masked else 'its heads'
        parts = [cfg.type for cfg in heads.values()]
        parts += [loss for cfg in heads.values() for loss in deaf_losses_of(cfg)]
        raise ValueError(
            f'--mix {name}: {supervision} does not reach {what} ({model.type} with '
            f'{", ".join(parts) or "no head"}); take --mix lossmix, '
            'which goes with every detector, or --mix union'
        )
    mix.lam_per = 'batch'
    if is_a(model, LossMixDetector, MODELS):
        return ["the detector is a LossMixDetector already; lam_per='batch'"]
    model.detector, model.type = model.type, 'LossMixDetector'
    return [f"{model.detector} is wrapped in LossMixDetector, with lam_per='batch'"]


def _wrap_aligned(model: ConfigDict, level: int | None, fits: bool) -> list[str]:
    """Wrap a detector in ``AlignMix``.

    Raises:
        ValueError: If its heads cannot carry labels, or no level is given.
    """
    if not fits or level is None:
        raise ValueError(
            '--mix alignmix goes with SSD and Faster R-CNN, without masks, and needs '
            "the level of the neck's maps that the plan is made at: --mix-options "
            f'level=2; got {model.type} and level={level}'
        )
    model.detector, model.type, model.level = model.type, 'AlignMix', level
    return [f'{model.detector} is wrapped in AlignMix']


def _mix_teacher(cfg: Config, teacher: type, mix: ConfigDict, name: str) -> list[str]:
    """Mix all terms of a teacher's student.

    Raises:
        ValueError: If it is no teacher of ours.
    """
    if not issubclass(teacher, MixTeacher) or issubclass(teacher, MixedDomainTeacher):
        raise ValueError(
            f'--mix {name}: {teacher.__name__} mixes by its own terms; take a config '
            'with MixTeacher, or set model.mixers'
        )
    if is_a(mix, PairBatch, MODELS):
        raise ValueError(
            f'--mix {name}: {teacher.__name__} mixes batches with one another, and '
            'AlignMix pairs within a batch; take --mix boxmix'
        )
    changes = _mix_detector(cfg.model.detector, mix, name, None)
    cfg.model.mixers = {term: copy.deepcopy(mix) for term in ('sup', 'unsup', 'cross')}
    return [*changes, f'model.mixers: {mix.type} in sup, unsup and cross']


def _add_mixer(cfg: Config, mix: ConfigDict) -> list[str]:
    """Put the mixer behind the batch augmentations that are there."""
    preprocessor = cfg.model.setdefault(
        'data_preprocessor',
        cfg.get('data_preprocessor') or ConfigDict(type='DetDataPreprocessor'),
    )
    before = list(preprocessor.get('batch_augments') or [])
    preprocessor.batch_augments = [*before, mix]
    behind = f', behind {len(before)} others' if before else ''
    return [f'{mix.type} in model.data_preprocessor.batch_augments{behind}']


def _add_hooks(cfg: Config, names: Sequence[str]) -> list[str]:
    """Add the hooks that switch and show mixing, the page, and the import of mmmix."""
    hooks = list(cfg.get('custom_hooks') or [])
    added = [
        name
        for name in names
        if not any(is_a(hook, HOOKS.get(name), HOOKS) for hook in hooks)
    ]
    cfg.custom_hooks = [*hooks, *(dict(type=name) for name in added)]
    report = dict(report=dict(type='RunReportHook'))
    cfg.default_hooks = dict(report, **(cfg.get('default_hooks') or {}))
    imports = dict(cfg.get('custom_imports') or dict(allow_failed_imports=False))
    modules = imports.get('imports') or []
    modules = [modules] if isinstance(modules, str) else list(modules)
    if 'mmmix' not in modules:
        cfg.custom_imports = dict(imports, imports=[*modules, 'mmmix'])
    return [f'hooks {", ".join(added)}'] if added else []
