"""The leaf configs, found by looking, and what each should be."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from torch import nn

from mmmix.models.batch_augments import BatchMixer
from mmmix.models.supervisions import Supervision

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs'

ALL = sorted(
    str(path.relative_to(CONFIGS))
    for path in CONFIGS.rglob('*.py')
    if '_base_' not in path.parts
)
# Those with a teacher and those of photographs have tests of their own, test_semi_*,
# test_domain_* and test_photo_*; those of classifiers, in tests/classification.
FOUND = [
    leaf
    for leaf in ALL
    if not re.search(r'semi/|-semi|domain|photos/|classification/', leaf)
]


class Method(NamedTuple):
    """What a method's built mixer must say of itself."""

    ratio: str
    align: str
    keep: str
    supervision: str
    mixer: str = 'MixBatch'


# method -> what its mixer is
METHODS = {
    'union': Method('Beta(alpha=1)', 'center', 'all', 'Union'),
    'boxstack': Method('Beta(alpha=1.5)', 'resize', 'all', 'Union'),
    'noise': Method('Uniform(low=0.8, high=1)', 'center', 'dominant', 'Union'),
    'boxmix': Method('Beta(alpha=0.2)', 'center', 'all', 'BoxMix'),
    'lossmix': Method('Beta(alpha=1)', 'center', 'all', 'LossMix'),
    'weighted-union': Method('Beta(alpha=1.5)', 'center', 'all', 'WeightedUnion'),
    'cutmix': Method(
        'Uniform(low=0, high=1)', 'center', 'all', 'LossMix', 'CutMixBatch'
    ),
    'cutmix-visible': Method(
        'Uniform(low=0, high=1)', 'center', 'all', 'Visible', 'CutMixBatch'
    ),
    'alignmix': Method('Beta(alpha=2)', 'corner', 'all', 'AlignedBoxMix', 'PairBatch'),
}
SHOWN = ('union', 'boxstack', 'noise', 'boxmix', 'lossmix', 'weighted-union')
BASIC = ('union', 'noise', 'boxmix', 'lossmix')

# {folder}{detector}_{dataset} -> the methods beside the baseline. Every leaf must be
# here; it is then in all tests of this folder.
MATRIX = {
    'ssd300_voc': (*SHOWN, 'cutmix', 'alignmix'),
    'ssd300_coco': BASIC,
    'ssd300-r50_voc': (*SHOWN, 'cutmix-pretrained', 'imagenet-pretrained'),
    'ssd300-r50_voc07': ('boxmix', 'boxstack'),
    'ssd300-r50_coco': (*BASIC, 'boxstack'),
    'demo/ssd_digits': (*METHODS, 'level1', 'level2', 'level3'),
    'faster-rcnn_r50_voc': (
        *(*BASIC, 'weighted-union', 'cutmix', 'alignmix'),
        'cutmix-pretrained',
    ),
    'faster-rcnn_r50-c4_voc': ('cutmix-pretrained',),
    'faster-rcnn_r50_coco': BASIC,
    'faster-rcnn_r101_voc': BASIC,
    'faster-rcnn_r101_coco': BASIC,
    'demo/faster-rcnn_digits': BASIC,
    'yolov3_d53_voc': (*BASIC, 'cutmix'),
    'yolov3_d53_coco': BASIC,
    'demo/yolov3_digits': BASIC,
    'retinanet_r50_voc': ('lossmix',),
    'fcos_r50_voc': ('lossmix',),
    'detr_r50_voc': ('lossmix',),
}

# The same for studies, whose baseline is one of the above.
STUDIES = {
    'studies/faster-rcnn_r50_voc': (
        *('lossmix-roi-only', 'lossmix-loc-only', 'lossmix-cls-only'),
        *('lossmix-alpha0.2', 'lossmix-alpha5', 'lossmix-alpha20'),
        *('lossmix-reg', 'lossmix-partial'),
    ),
    'studies/ssd300-r50_voc': ('boxmix-any', 'boxmix-factored'),
    'studies/ssd300-r50_voc07': (
        'batch16',
        *(f'level{number}' for number in range(1, 7)),
    ),
}

STUDIED = [f'{base}_{method}.py' for base in STUDIES for method in STUDIES[base]]
LEAVES = sorted(
    [f'{baseline}.py' for baseline in MATRIX]
    + [f'{base}_{method}.py' for base in MATRIX for method in MATRIX[base]]
    + STUDIED
)


def split(leaf: str) -> tuple[str, str | None]:
    """A leaf's baseline and its method; None for a baseline itself."""
    name = leaf.removesuffix('.py')
    if name in MATRIX:
        return name, None
    baseline, _, method = name.rpartition('_')
    return baseline.removeprefix('studies/'), method


def method_of(leaf: str) -> Method | None:
    """What a leaf's mixer must be; None for one that does not mix."""
    baseline, method = split(leaf)
    if leaf in STUDIED:
        method = method.partition('-')[0]
    expected = METHODS.get(method)
    if (baseline, method) == ('faster-rcnn_r50_voc', 'weighted-union'):
        return expected._replace(ratio='Beta(alpha=1)')
    return expected


def of_the_paper(leaf: str) -> dict[str, Any]:
    """What a leaf sets of its mixer as the paper that it stands for has it."""
    baseline, method = split(leaf)
    if baseline.startswith('demo/'):
        return {}
    if method == 'cutmix':
        return dict(pairing='permutation', lam_per='batch')
    if not baseline.startswith('faster-rcnn'):
        return {}
    if method == 'weighted-union':
        return dict(pairing='permutation', ratio=dict(type='Beta', alpha=1.0))
    if method in ('union', 'noise', 'lossmix'):
        return dict(pairing='permutation')
    return {}


def pair_all(model: Any) -> None:
    """Let a built model's mixers leave no image of two without a partner."""
    for mixer in mixers_of(model).values():
        if mixer.pairing == 'permutation':
            mixer.pairing = 'shuffle'


# Mixed on one anchor level, by a detector of its own.
LEVELS = [leaf for leaf in LEAVES if re.fullmatch(r'level\d', split(leaf)[1] or '')]
MIXED = [leaf for leaf in LEAVES if split(leaf)[1] in METHODS]
WITH_MIX = {*MIXED, *STUDIED, *LEVELS} - {'studies/ssd300-r50_voc07_batch16.py'}


@functools.cache
def load(leaf: str) -> Config:
    """The loaded config; shared, so copy it before changing anything."""
    return Config.fromfile(CONFIGS / leaf)


def plain(leaf: str, without_mixing: bool = False) -> dict[str, Any]:
    """A config as plain dicts, if wished without what makes the method."""
    cfg = load(leaf).to_dict()
    if without_mixing:
        model = cfg['model']
        cfg.pop('mix', None)
        model['data_preprocessor'].pop('batch_augments', None)
        if model['type'] == 'AlignMix':
            del model['level']
        model['type'] = model.pop('detector', model['type'])
    return cfg


def mixers_of(model: nn.Module) -> dict[str, BatchMixer]:
    """The mixers of a built model by name."""
    return {n: m for n, m in model.named_modules() if isinstance(m, BatchMixer)}


def overrides_of(model: nn.Module) -> list[str]:
    """The supervisions that parts of a built model have of their own."""
    return [
        repr(module.supervision)
        for module in model.modules()
        if isinstance(getattr(module, 'supervision', None), Supervision)
        and not isinstance(module, BatchMixer)
    ]


def check_mixer(mixer: BatchMixer, expected: Method) -> None:
    """A built mixer is that of a method."""
    settings = mixer.settings
    assert type(mixer).__name__ == expected.mixer
    assert type(mixer.supervision).__name__ == expected.supervision
    assert (repr(settings.ratio), settings.align) == (expected.ratio, expected.align)
    assert settings.keep == expected.keep


def classifier(model: dict[str, Any]) -> dict[str, Any]:
    """The config of the head that knows the classes."""
    return model.get('roi_head', model)['bbox_head']


def mmdet_config(name: str) -> dict[str, Any]:
    """One of mmdet's own configs as plain dicts."""
    path, scope = Config._get_cfg_path(f'mmdet::{name}', __file__)
    assert scope == 'mmdet'
    return Config.fromfile(path).to_dict()


@functools.cache
def depth(path: Path) -> int:
    """The number of files below a config on its longest chain of bases."""
    bases = [
        Config._get_cfg_path(base, str(path))[0]
        for base in Config._get_base_files(str(path))
    ]
    return max((1 + depth(Path(base).resolve()) for base in bases), default=0)


def gpus_and_batch(leaf: str) -> tuple[int, int]:
    """What the comment at the head of a leaf says: GPUs and images a GPU."""
    text = (CONFIGS / leaf).read_text().partition('_base_')[0]
    found = re.search(r'(\d+) GPUs? (?:\(or CPU\) )?x (\d+) images', text)
    if found is None:
        raise ValueError(f'{leaf} does not say GPUs x images at its head')
    return int(found[1]), int(found[2])


def top_level(leaf: str) -> list[ast.stmt]:
    """The statements of a leaf."""
    return ast.parse((CONFIGS / leaf).read_text()).body


def pipelines(dataset: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Every pipeline of a dataset config, however it is wrapped."""
    if 'pipeline' in dataset:
        return [dataset['pipeline']]
    inner = dataset.get('datasets') or [dataset['dataset']]
    return [pipeline for part in inner for pipeline in pipelines(part)]
