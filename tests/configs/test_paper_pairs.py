"""Leaves that claim to be a paper's mix as it says, to the number."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from .config_cases import LEAVES, load

STUDY = 'studies/faster-rcnn_r50_voc_lossmix-'
LOSSMIX_PAPER = [
    f'faster-rcnn_r{depth}_{data}_{method}.py'
    for depth, data, method in product(
        (50, 101), ('voc', 'coco'), ('union', 'noise', 'lossmix')
    )
] + [leaf for leaf in LEAVES if leaf.startswith(STUDY)]
CUTMIX = [
    f'{name}_voc_cutmix.py' for name in ('ssd300', 'faster-rcnn_r50', 'yolov3_d53')
]
# leaf -> alpha and alignment that the paper gives
NEW = {
    # BoxMix paper, sec. 4.2: 1.5, images of one size
    'ssd300-r50_voc07_boxstack.py': (1.5, 'resize', 'Union'),
    'ssd300-r50_coco_boxstack.py': (1.5, 'resize', 'Union'),
    # LossMix paper, suppl. A: 1.0, centre
    'faster-rcnn_r50_voc_weighted-union.py': (1.0, 'center', 'WeightedUnion'),
    # BoxMix paper, sec. 4.2: 0.2
    'studies/ssd300-r50_voc_boxmix-any.py': (0.2, 'center', 'BoxMix'),
    'studies/ssd300-r50_voc_boxmix-factored.py': (0.2, 'center', 'BoxMix'),
}


def mixer(leaf: str) -> dict[str, Any]:
    """The config of a leaf's mixer."""
    (cfg,) = load(leaf).model.data_preprocessor.batch_augments
    return cfg


@pytest.mark.parametrize('leaf', LOSSMIX_PAPER)
def test_lossmix_pairs_a_batch_with_itself_shuffled(leaf):
    """Suppl. A: "mixed with a randomly shuffled version of itself"; a λ per pair."""
    assert mixer(leaf).pairing == 'permutation'
    assert mixer(leaf).get('lam_per', 'image') == 'image'
    assert load(leaf).train_dataloader.batch_size == 8


@pytest.mark.parametrize('leaf', CUTMIX)
def test_cutmix_draws_once_for_a_batch(leaf):
    """Alg. A1: shuffle_minibatch, then one lambda, r_x and r_y."""
    cfg = mixer(leaf)
    assert (cfg.pairing, cfg.lam_per) == ('permutation', 'batch')
    assert cfg.ratio == dict(type='Uniform', low=0.0, high=1.0)


@pytest.mark.parametrize('leaf', list(NEW))
def test_alpha_alignment_and_supervision(leaf):
    alpha, align, supervision = NEW[leaf]
    cfg = mixer(leaf)
    assert cfg.ratio == dict(type='Beta', alpha=alpha)
    assert cfg.get('align', 'center') == align
    assert cfg.supervision.type == supervision


@pytest.mark.parametrize('rule', ['any', 'factored'])
def test_rules_of_mining_are_the_heads(rule):
    head = load(f'studies/ssd300-r50_voc_boxmix-{rule}.py').model.bbox_head
    assert (head.type, head.mix_positives) == ('MixSSDHead', rule)


@pytest.mark.parametrize('leaf', [leaf for leaf in NEW if 'studies' not in leaf])
def test_the_rows_of_table_1_and_2_differ_by_the_mix_alone(leaf):
    ours, baseline = (load(name).to_dict() for name in (leaf, _baseline(leaf)))
    del ours['mix'], ours['model']['data_preprocessor']['batch_augments']
    assert ours == baseline


def _baseline(leaf: str) -> str:
    return f'{leaf.rpartition("_")[0]}.py'


@pytest.mark.parametrize(
    ('name', 'cls', 'reg'), [('loc-only', False, True), ('cls-only', True, False)]
)
def test_switched_off_terms_of_table_3(name, cls, reg):
    supervision = mixer(f'{STUDY}{name}.py').supervision
    assert supervision.type == 'LossMix'
    assert (supervision.get('cls', True), supervision.get('reg', True)) == (cls, reg)
    model = load(f'{STUDY}{name}.py').model
    assert 'supervision' not in model.rpn_head
    assert 'supervision' not in model.roi_head


def test_roi_only_of_table_3_leaves_the_rpn_to_union():
    model = load(f'{STUDY}roi-only.py').model
    assert model.rpn_head.supervision == dict(type='Union')
    assert 'supervision' not in model.roi_head
