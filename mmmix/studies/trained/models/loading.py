"""Loading the trained models that a study is about."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import load_checkpoint
from torch import Tensor, nn

from mmmix.apis.checkpoints.fit import ForeignCheckpointError
from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.apis.checkpoints.resume import existing_checkpoint
from mmmix.apis.configs.building_errors import told_with_key
from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.reporting import say
from mmmix.engine.hooks.teachers.unstarted_teacher import (
    let_student_predict,
    teacher_started,
)
from mmmix.registry import is_classifier
from mmmix.studies.score_cuts import lower_cuts
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.loaded_classifier import LoadedClassifier
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.results.tables import group
from mmmix.visualization import class_names


def load_detector(
    spec: ModelSpec,
    device: str | torch.device = 'cpu',
    cfg_options: Mapping[str, Any] | None = None,
    trust: bool = False,
    boxes: bool = False,
    score_thr: float | None = None,
) -> LoadedDetector:
    """Build a config's detector and load its checkpoint.

    Args:
        spec: The model.
        device: Where to put it.
        cfg_options: Changes of the config, by dotted key.
        trust: Load a checkpoint that could run code.
        boxes: Whether its boxes are wanted, which a classifier has not.
        score_thr: Least score that is wanted; higher thresholds of the config, but for
            those of ``cfg_options``, are lowered to it.

    Raises:
        FileNotFoundError: If config or checkpoint is missing.
        ValueError: If the checkpoint is unsafe, damaged, or one of another model; the
            config has no test; or the model is a classifier, and boxes are wanted.
    """
    cfg = read_config(spec.config, dict(cfg_options or {}) or None)
    if score_thr is not None:
        lower_cuts(cfg, score_thr, cfg_options or ())
    if cfg.get('test_dataloader') is None:
        raise ValueError(
            f'{spec.config} has no test_dataloader, whose pipeline says how the model '
            'sees images; give it one'
        )
    classifies = is_classifier(cfg)
    if boxes and classifies:
        raise ValueError(
            f'{spec.config} is of a classifier ({cfg.model.get("type")}), and boxes of '
            'a detector are wanted; mmmix test, robustness, uncertainty, in-between '
            'and cams take classifiers, and mmpretrain.ImageClassificationInferencer('
            'CONFIG, pretrained=CHECKPOINT) tells the classes of images'
        )
    path = existing_checkpoint(spec.checkpoint)
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    with told_with_key(cfg):
        model = revert_sync_batchnorm(MODELS.build(cfg.model))
    with install_safe_loading(trust):
        try:
            checkpoint = load_checkpoint(
                model, path, map_location='cpu', strict=True, logger='silent'
            )
        except ForeignCheckpointError as error:
            raise ForeignCheckpointError(f'{spec.config}: {error}') from error
    if not teacher_started(checkpoint):
        let_student_predict(model)
    model.to(device).eval().requires_grad_(False)
    kind = LoadedClassifier if classifies else LoadedDetector
    return kind(spec.name, spec, cfg, model, _classes(cfg, checkpoint))


def load_detectors(
    args: argparse.Namespace, boxes: bool = False
) -> list[LoadedDetector]:
    """Load all models of a command line.

    Args:
        args: With the models and options of
            :func:`mmmix.studies.trained.models.arguments.add_model_arguments`, and
            ``score_thr`` or ``min_score`` where the command has one.
        boxes: Whether their boxes are wanted, which a classifier has not.

    Raises:
        ValueError: If they do not detect the same classes, a checkpoint or a copy of it
            is given twice as one method, or one is a classifier, and boxes are wanted.
    """
    _check_each_once(args.models)
    say_other_seeds(args.models)
    common = args.device, args.cfg_options, args.trust_checkpoint, boxes
    least = getattr(args, 'score_thr', getattr(args, 'min_score', None))
    detectors = [load_detector(spec, *common, least) for spec in args.models]
    _check_other_weights(detectors)
    for detector in detectors[1:]:
        if detector.classes != detectors[0].classes:
            raise ValueError(
                'models are compared on one data set and must detect the same '
                f'classes; {detectors[0].spec} has {detectors[0].classes}, '
                f'{detector.spec} has {detector.classes}'
            )
    return detectors


def _check_each_once(specs: Sequence[ModelSpec]) -> None:
    """Refuse one training as two seeds: intervals would be too narrow.

    Raises:
        ValueError: With the model.
    """
    seen: set[ModelSpec] = set()
    for spec in specs:
        same = spec._replace(checkpoint=str(Path(spec.checkpoint).resolve()))
        if same in seen:
            raise ValueError(
                f'{spec} is given twice, and would count as two seeds of {spec.name}; '
                'give each checkpoint once'
            )
        seen.add(same)


def _check_other_weights(models: Sequence[LoadedDetector]) -> None:
    """Refuse the weights of one training in two files as two seeds.

    Raises:
        ValueError: With both models.
    """
    for one, other in combinations(models, 2):
        if one.name == other.name and _same_weights(one.model, other.model):
            raise ValueError(
                f'{one.spec} and {other.spec} have the same weights, and would count '
                f'as two seeds of {one.name}; give each training once, or another NAME'
            )


def _same_weights(one: nn.Module, other: nn.Module) -> bool:
    own, others = one.state_dict(), other.state_dict()
    return own.keys() == others.keys() and all(
        torch.equal(value, others[key])
        for key, value in own.items()
        if isinstance(value, Tensor)
    )


def say_other_seeds(specs: Sequence[ModelSpec]) -> None:
    """Say where models that are paired by their place are of different seeds.

    Args:
        specs: Models; those of a study lie in folders that are named by their seed.
    """
    folders = group([(spec.name, Path(spec.checkpoint).parent.name) for spec in specs])
    (first, expected), *others = folders.items()
    for name, found in others:
        if len(found) != len(expected) or found == expected:
            continue
        if all(folder.startswith('seed_') for folder in (*found, *expected)):
            say(
                f'{name} is of {", ".join(found)}, and {first} of '
                f'{", ".join(expected)}: differences pair them in this order. Give '
                'the same seeds of all methods, in the same order'
            )


def _classes(cfg: Config, checkpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """Class names that the checkpoint keeps, else those of the config's data.

    Raises:
        ValueError: If neither knows them, and the model detects.
    """
    meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
    parts = meta if isinstance(meta, list) else [meta]  # of a ConcatDataset
    names = class_names(
        [{str(key).lower(): value for key, value in part.items()} for part in parts]
    )
    if names is not None:
        return names
    data = cfg.test_dataloader.dataset
    while 'dataset' in data:
        data = data.dataset
    with DATASETS.switch_scope_and_registry(None) as registry:
        kind = registry.get(data.type) if isinstance(data.type, str) else data.type
    meta = {**getattr(kind, 'METAINFO', {}), **(data.get('metainfo') or {})}
    names = class_names(meta) or ()
    if not names and not is_classifier(cfg):  # whose data set finds them in its folders
        raise ValueError(
            f'{cfg.filename}: neither the checkpoint nor test_dataloader.dataset names '
            'the classes; set test_dataloader.dataset.metainfo=dict(classes=...), in '
            'the order of their labels'
        )
    return names
