"""The leaf configs with a teacher on COCO and VOC, and what each should be."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from mmdet.registry import HOOKS
from mmengine.config import Config

from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.datasets.semi_split import SplitSettings, split_coco

from .config_cases import METHODS, Method, load
from .tiny_data import moved, write_tiny_data

PERCENTS = (1, 2, 5, 10)
COCO = [f'semi/faster-rcnn_r50_coco-semi{percent}' for percent in PERCENTS]
VOC = [
    f'semi/{detector}_voc07-voc12u'
    for detector in ('faster-rcnn_r50', 'ssd300', 'yolov3_d53')
]
BASES = [*COCO, *VOC]

# method -> what its mixers are
SEMI_METHODS: dict[str, Method | None] = {
    'mean-teacher': None,
    'mean-teacher-lossmix': METHODS['lossmix'],
    'mean-teacher-boxmix': METHODS['boxmix'],
}
SEMI_LEAVES = sorted(f'{base}_{method}.py' for base in BASES for method in SEMI_METHODS)
MIXED_LEAVES = [leaf for leaf in SEMI_LEAVES if not leaf.endswith('_mean-teacher.py')]


def base_and_method(leaf: str) -> tuple[str, str]:
    """The parts of a leaf's name."""
    base, _, method = leaf.removesuffix('.py').rpartition('_')
    return base, method


def without_mixing(leaf: str) -> dict[str, Any]:
    """A leaf as plain dicts, without what makes it a mixing one."""
    cfg = load(leaf).to_dict()
    cfg.pop('mix', None)
    cfg['model'].pop('mixers', None)
    return cfg


def sources(cfg: Config) -> list[dict[str, Any]]:
    """The labelled and the unlabelled dataset of a config."""
    return cfg.train_dataloader.dataset.dataset.datasets


def views(unlabelled: dict[str, Any]) -> tuple[list, list]:
    """The pipelines of the teacher's and of the student's view."""
    branches = unlabelled['pipeline'][-1]
    return branches['unsup_teacher'], branches['unsup_student']


def teacher_hook(leaf: str) -> Any:
    """The built ``MixTeacherHook``."""
    (cfg,) = (h for h in load(leaf).custom_hooks if h.type == 'MixTeacherHook')
    return HOOKS.build(dict(cfg))


def write_semi_data(root: Path) -> None:
    """``write_tiny_data`` with half of COCO's images labelled, in all folds."""
    write_tiny_data(root)
    ann_file = root / 'coco/annotations/instances_train2017.json'
    content = json.loads(ann_file.read_text())
    folder = root / 'coco/semi_anns'
    folder.mkdir()
    parts = split_coco(content, SplitSettings(50))
    for percent in PERCENTS:
        names = SplitSettings(percent).names(ann_file)
        for name, part in zip(names, parts):
            (folder / name).write_text(json.dumps(part))


def on_tiny_data(leaf: str, root: Path) -> Config:
    """A leaf without pretrained weights and worker processes, on tiny data."""
    cfg = Config(moved(copy.deepcopy(load(leaf)).to_dict(), root))
    drop_pretrained(cfg)
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
    return cfg
