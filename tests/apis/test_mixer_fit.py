"""Mixers that a head, a detector or a pipeline of data does not go with."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmdet.registry import MODELS, TRANSFORMS
from mmengine.config import Config

from mmmix import config_path
from mmmix.apis.training_checks import check_mixing
from mmmix.mixing.supervision import build_supervision
from tests.datasets.transforms.images import loaded
from tests.models.detectors import zoo

from .check_cases import RATIO, runner_of

PACK, PACK_MIX = dict(type='PackDetInputs'), dict(type='PackMixInputs')
IMAGE_MIXERS = [('MixImage', 'LossMix'), ('CutMixImage', 'Visible')]


def retina(own=None):
    """A small RetinaNet whose head has a supervision of its own."""
    cfg = zoo.config('RetinaNet')
    cfg.model.bbox_head.update(type='MixRetinaHead', supervision=own and dict(type=own))
    return zoo.build(cfg)


def mixer_of(kind, supervision):
    """A mixer's config, of images that touch so that boxes are hidden."""
    return dict(type=kind, ratio=RATIO, supervision=dict(type=supervision))


@pytest.mark.parametrize(
    ('own', 'supervision', 'why'),
    [
        ('Union', 'LossMix', 'keeps boxes whole'),
        ('Visible', 'LossMix', 'keeps boxes whole'),
        ('LossMix', 'Union', 'clips boxes'),
        ('WeightedUnion', 'Visible', 'clips boxes'),
    ],
)
def test_a_head_that_wants_other_boxes_than_cutmix_leaves_is_refused(
    own, supervision, why
):
    runner = runner_of(retina(own), mixer_of('CutMixBatch', supervision))
    with pytest.raises(ValueError, match=rf'bbox_head.supervision={own}\(.*{why}'):
        check_mixing(runner, training=False)


def test_a_term_that_is_off_is_refused_beside_cutmix():
    model = retina()
    model.bbox_head.supervision = build_supervision(dict(type='LossMix', cls=False))
    runner = runner_of(model, mixer_of('CutMixBatch', 'LossMix'))
    with pytest.raises(ValueError, match=r'supervision=LossMix\(cls=False'):
        check_mixing(runner, training=False)


def test_what_a_union_of_boxes_that_cutmix_kept_would_teach():
    """Why it is refused: boxes that are hidden altogether count in full."""
    mixer = MODELS.build(
        dict(mixer_of('CutMixBatch', 'LossMix'), pairing='roll')
        | dict(ratio=dict(type='Constant', value=0.0))
    )
    samples = [zoo.sample(zoo.objects(i, 2), i) for i in range(2)]
    mixed = mixer(zoo.images(2), samples)[1]
    model = retina('Union')
    features = model.extract_feat(zoo.images(2))
    maps = model.bbox_head(features)
    unions = [sample.gt_instances for sample in mixed]
    metas = [{'img_shape': zoo.SHAPE, 'pad_shape': zoo.SHAPE}] * 2
    plain = model.bbox_head.loss_by_feat(*maps, unions, metas)
    got = model.bbox_head.loss_by_feat(*maps, unions, [s.metainfo for s in mixed])
    for name, losses in plain.items():
        torch.testing.assert_close(sum(got[name]), sum(losses))


@pytest.mark.parametrize(
    ('own', 'kind', 'supervision'),
    [
        ('Union', 'CutMixBatch', 'Visible'),
        ('LossMix', 'CutMixBatch', 'WeightedUnion'),
        ('Union', 'MixBatch', 'LossMix'),
        ('LossMix', 'MixBatch', 'Union'),
    ],
)
def test_a_head_that_wants_the_same_boxes_goes(own, kind, supervision):
    check_mixing(runner_of(retina(own), mixer_of(kind, supervision)), training=False)


def test_a_head_that_asks_what_is_visible_of_a_blend_is_refused():
    runner = runner_of(retina('Visible'), mixer_of('MixBatch', 'Union'))
    with pytest.raises(ValueError, match='MixBatch hides nothing'):
        check_mixing(runner, training=False)


def test_a_wrapper_of_its_own_supervision_is_looked_at():
    model = zoo.build(
        zoo.config('RetinaNet'),
        type='LossMixDetector',
        detector='RetinaNet',
        supervision=dict(type='Union'),
    )
    mixer = mixer_of('CutMixBatch', 'LossMix') | dict(lam_per='batch')
    with pytest.raises(ValueError, match=r'model.supervision=Union\(\) does not go'):
        check_mixing(runner_of(model, mixer), training=False)


def demo(name, **model):
    """A model of the demo configs."""
    cfg = Config.fromfile(config_path(f'demo/{name}.py')).model
    cfg.data_preprocessor.pop('batch_augments', None)
    cfg.update(model)
    return MODELS.build(cfg)


def test_alignmix_without_its_pairs_is_refused():
    model = demo('ssd_digits_alignmix')
    with pytest.raises(ValueError, match='which PairBatch makes, and has MixBatch'):
        check_mixing(runner_of(model, mixer_of('MixBatch', 'BoxMix')), training=False)
    pairs = dict(type='PairBatch', ratio=RATIO)
    check_mixing(runner_of(model, pairs), training=False)


def test_a_head_of_levels_without_its_detector_is_refused():
    cfg = Config.fromfile(config_path('demo/ssd_digits_level1.py')).model
    check_mixing(runner_of(MODELS.build(cfg)), training=False)
    del cfg.mixer
    model = MODELS.build(dict(cfg, type='SingleStageDetector'))
    check_mixing(runner_of(model), training=False)
    with pytest.raises(ValueError, match=r'mix_levels=\[0\] .* alone have mixed'):
        check_mixing(runner_of(model, mixer_of('MixBatch', 'BoxMix')), training=False)


def packing(model, mixer, pack):
    """A Runner whose data has a mixer of images and ends with a packing."""
    steps = [TRANSFORMS.build(step) for step in (dict(mixer, pad='black'), pack)]
    dataset = SimpleNamespace(pipeline=steps, dataset=SimpleNamespace(pipeline=None))
    runner = runner_of(model)
    runner.train_dataloader = SimpleNamespace(dataset=SimpleNamespace(dataset=dataset))
    return runner


@pytest.mark.parametrize(('kind', 'supervision'), IMAGE_MIXERS)
def test_packing_without_the_weights_is_refused(kind, supervision):
    mixer = mixer_of(kind, supervision)
    check_mixing(packing(retina(), mixer, PACK_MIX))
    with pytest.raises(ValueError, match=f'PackDetInputs packs what {kind} mixed'):
        check_mixing(packing(retina(), mixer, PACK))


def test_packing_without_the_weights_is_enough_for_a_union():
    mixer = mixer_of('MixImage', 'Union')
    check_mixing(packing(retina(), mixer, PACK))
    with pytest.raises(ValueError, match='PackDetInputs packs what MixImage mixed'):
        check_mixing(packing(retina('LossMix'), mixer, PACK))


def test_what_packing_without_the_weights_would_teach():
    """Why it is refused: the sample is an unmixed one with the boxes of both."""
    mixer = TRANSFORMS.build(dict(mixer_of('MixImage', 'LossMix'), pad='black'))
    mixed = mixer({**loaded(40, 40), 'mix_results': [loaded(40, 40, seed=1)]})
    sample = TRANSFORMS.build(PACK)(dict(mixed))['data_samples']
    assert 'mix_weights' not in sample
    assert 'mix_supervision' not in sample
    assert len(sample.gt_instances) == 4
