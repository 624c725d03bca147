"""The leaf configs, found by looking, and what each should be."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs'

FOUND = sorted(
    str(path.relative_to(CONFIGS))
    for path in CONFIGS.rglob('*.py')
    if '_base_' not in path.parts
)


class Method(NamedTuple):
    """What a method's built mixer and supervision must say of themselves."""

    ratio: str
    align: str
    keep: str
    supervision: str


# method -> what its mixer and supervision are
METHODS = {
    'union': Method('Beta(alpha=1)', 'center', 'all', 'Union'),
    'boxstack': Method('Beta(alpha=1.5)', 'resize', 'all', 'Union'),
    'noise': Method('Uniform(low=0.8, high=1)', 'center', 'dominant', 'Union'),
    'boxmix': Method('Beta(alpha=0.2)', 'center', 'all', 'BoxMix'),
    'lossmix': Method('Beta(alpha=1)', 'center', 'all', 'LossMix'),
    'weighted-union': Method('Beta(alpha=1.5)', 'center', 'all', 'WeightedUnion'),
}
COCO_METHODS = ('union', 'noise', 'boxmix', 'lossmix')

# {folder}{detector}_{dataset} -> the methods beside the baseline. Every leaf must be
# here; it is then in all tests of this folder.
MATRIX = {
    'ssd300_voc': tuple(METHODS),
    'ssd300_coco': COCO_METHODS,
    'ssd300-r50_voc': (*METHODS, 'cutmix-pretrained'),
    'ssd300-r50_voc07': ('boxmix',),
    'ssd300-r50_coco': COCO_METHODS,
    'demo/ssd_digits': tuple(METHODS),
}


LEAVES = sorted(
    f'{"_".join(fields)}.py'
    for baseline, methods in MATRIX.items()
    for fields in ((baseline,), *((baseline, method) for method in methods))
)


def split(leaf: str) -> tuple[str, str | None]:
    """A leaf's baseline and its method; None for a baseline itself."""
    name = leaf.removesuffix('.py')
    if name in MATRIX:
        return name, None
    baseline, _, method = name.rpartition('_')
    return baseline, method


MIXED = [leaf for leaf in LEAVES if split(leaf)[1] in METHODS]


@functools.cache
def load(leaf: str) -> Config:
    """The loaded config; shared, so copy it before changing anything."""
    return Config.fromfile(CONFIGS / leaf)


def plain(leaf: str, without_mixing: bool = False) -> dict[str, Any]:
    """A config as plain dicts, if wished without what makes the method."""
    cfg = load(leaf).to_dict()
    if without_mixing:
        for part, key in (
            (cfg, 'mix'),
            (cfg, 'supervision'),
            (cfg['model']['data_preprocessor'], 'batch_augments'),
            (cfg['model']['bbox_head'], 'supervision'),
        ):
            part.pop(key, None)
    return cfg


def depth(path: Path) -> int:
    """The number of files below a config on its longest chain of bases."""
    bases = [
        Config._get_cfg_path(base, str(path))[0]
        for base in Config._get_base_files(str(path))
    ]
    return max((1 + depth(Path(base)) for base in bases), default=0)


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
