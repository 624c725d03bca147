"""What the start-up check says to built detectors of mmdet and their wrappers."""

from __future__ import annotations

import pytest

from mmmix.apis.training_checks import check_mixing
from tests.models.detectors import zoo

from .check_cases import RATIO, mix_batch, runner_of


@pytest.fixture(scope='module')
def retinanet():
    """A small RetinaNet in a LossMixDetector."""
    return zoo.build(
        zoo.config('RetinaNet'), type='LossMixDetector', detector='RetinaNet'
    )


def test_stock_head_of_mmdet_is_refused():
    runner = runner_of(zoo.build(zoo.config('RetinaNet')), mix_batch('LossMix'))
    with pytest.raises(ValueError, match='model.bbox_head, a RetinaHead, does not'):
        check_mixing(runner, training=False)


def test_wrapped_detector_needs_one_lam_for_a_batch(retinanet):
    shared = mix_batch('LossMix', lam_per='batch')
    check_mixing(runner_of(retinanet, shared), training=False)
    with pytest.raises(ValueError, match="set lam_per='batch' in MixBatch"):
        check_mixing(runner_of(retinanet, mix_batch('LossMix')), training=False)
    check_mixing(runner_of(retinanet, mix_batch('Union')), training=False)


@pytest.mark.parametrize('supervision', ['BoxMix', 'WeightedUnion'])
def test_wrapped_detector_refuses_what_weighs_boxes(supervision, retinanet):
    mixer = mix_batch(supervision, lam_per='batch')
    with pytest.raises(ValueError, match=f'got {supervision}.*MixSSDHead'):
        check_mixing(runner_of(retinanet, mixer), training=False)


@pytest.mark.parametrize('wrapped', [True, False])
def test_pairs_without_alignmix_are_refused(wrapped, retinanet):
    model = retinanet if wrapped else zoo.build(zoo.config('RetinaNet'))
    runner = runner_of(model, dict(type='PairBatch', ratio=RATIO))
    with pytest.raises(ValueError, match='PairBatch leaves pixels alone') as caught:
        check_mixing(runner, training=False)
    assert type(model).__name__ in str(caught.value)
    assert 'take MixBatch' in str(caught.value)


@pytest.mark.parametrize(
    ('name', 'box_head', 'error', 'match'),
    [
        ('MaskRCNN', 'MixShared2FCBBoxHead', ValueError, 'does not reach mask_head'),
        ('FasterRCNN', 'Shared2FCBBoxHead', TypeError, 'got Shared2FCBBoxHead'),
    ],
)
def test_roi_head_that_would_ignore_weights(name, box_head, error, match):
    cfg = zoo.config('MaskRCNN')
    cfg.model.rpn_head.type = 'MixRPNHead'
    cfg.model.roi_head.type = 'MixStandardRoIHead'
    cfg.model.roi_head.bbox_head.type = box_head
    if name == 'FasterRCNN':
        cfg.model.type = name
        for key in ('mask_head', 'mask_roi_extractor'):
            del cfg.model.roi_head[key]
    runner = runner_of(zoo.build(cfg), mix_batch('LossMix'))
    with pytest.raises(error, match=match):
        check_mixing(runner, training=False)
    check_mixing(runner_of(runner.model, mix_batch('Union')), training=False)
