"""AlignMix: features mixed where they correspond (identities 33 to 36)."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.models.detectors import SingleStageDetector
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub

from mmmix.functional import transport_plan
from mmmix.models import AlignMix
from mmmix.models.alignmix.fields import MIX_PARTNER, MIX_SIZES, TRANSPORT
from mmmix.models.alignmix.transport import carry_maps
from tests.configs.config_cases import load
from tests.helpers import total
from tests.models.batch_augments.batches import batch_of
from tests.models.roi_heads.faster_rcnn import MODEL

SHAPES = [(160, 160)] * 3
LAM = 0.4


def small_config():
    """The demo's model with fewer channels."""
    cfg = copy.deepcopy(load('demo/ssd_digits_alignmix.py').model)
    cfg.backbone.base_channels = 4
    cfg.neck.update(in_channels=(8, 16), out_channels=(8, 16, 16))
    cfg.bbox_head.in_channels = (8, 16, 16)
    return cfg


def small(**changes):
    """The model, with some settings changed."""
    cfg = small_config()
    cfg.update(changes)
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    return model.train()


@pytest.fixture(scope='module')
def model():
    return small()


def paired(shapes=SHAPES, lam=LAM, divisor=1, **settings):
    """A batch, paired; labels are digits."""
    mixer = MODELS.build(
        dict(
            type='PairBatch',
            align='corner',
            ratio=dict(type='Constant', value=lam),
            **settings,
        )
    )
    inputs, samples = batch_of(shapes, divisor=divisor)
    for sample in samples:
        sample.gt_instances.labels %= 10
    return inputs, samples, mixer(inputs, samples)


# --- pairs ------------------------------------------------------------------


def test_other_detectors_refuse_pairs(model):
    head = model.bbox_head
    inputs, _, (_, samples) = paired()
    with pytest.raises(ValueError, match='wrap the detector in AlignMix'):
        head.loss(model.extract_feat(inputs), samples)


# --- features ---------------------------------------------------------------


def features(model, inputs):
    with torch.no_grad():
        return model.extract_feat(inputs)


def aligned(model, inputs, samples):
    maps = features(model, inputs)
    return maps, model.align(maps, samples, tuple(inputs.shape[2:]))


def test_features_are_mixed_with_the_partners_by_the_plan(model):
    inputs, _, (_, samples) = paired()
    maps, pairs = aligned(model, inputs, samples)
    assert pairs.grid == (10, 10)
    for level in maps:
        mixed = pairs.mix(level)
        for i, sample in enumerate(samples):
            j = sample.metainfo[MIX_PARTNER]
            cells = [maps[1][k].flatten(1)[None] for k in (i, j)]
            plan = transport_plan(*cells)
            carried = carry_maps(plan, level[j][None], (10, 10))[0]
            want = LAM * level[i] + (1 - LAM) * carried
            torch.testing.assert_close(mixed[i], want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_limits_of_lam(model, lam):
    """Identity 35: λ = 1 is the image itself, exactly."""
    inputs, _, (_, samples) = paired(lam=lam)
    maps, pairs = aligned(model, inputs, samples)
    for level in maps:
        own = torch.equal(pairs.mix(level), level)
        assert own == (lam == 1.0)


def test_padding_takes_no_part(model):
    """Rows outside an image stand for themselves, columns outside are not used."""
    shapes = [(160, 80), (80, 160), (160, 160)]
    inputs, _, (_, samples) = paired(shapes, divisor=32)
    _, pairs = aligned(model, inputs, samples)
    for plan, sample in zip(pairs.plans, samples):
        own, other = (torch.zeros(10, 10, dtype=torch.bool) for _ in range(2))
        for mask, (height, width) in zip((own, other), sample.metainfo[MIX_SIZES]):
            mask[: height // 16, : width // 16] = True
        own, other = own.flatten(), other.flatten()
        assert torch.equal(plan[~own], torch.eye(100)[~own])
        assert not plan[own][:, ~other].any()
        torch.testing.assert_close(plan.sum(1), torch.ones(100))
        columns = plan[own].sum(0)[other] / own.sum() * other.sum()
        assert (columns - 1).abs().max() < 0.05


def test_gradients_reach_both_images_but_not_the_plan(model):
    """Identity 35, last part."""
    inputs, _, (_, samples) = paired()
    maps = [level.requires_grad_() for level in features(model, inputs)]
    pairs = model.align(maps, samples, (160, 160))
    assert not pairs.plans.requires_grad
    pairs.mix(maps[0])[0].sum().backward()
    partner = samples[0].metainfo[MIX_PARTNER]
    torch.testing.assert_close(maps[0].grad[0], torch.full_like(maps[0][0], LAM))
    assert maps[0].grad[partner].abs().sum() > 0


# --- the loss ---------------------------------------------------------------


def test_the_loss_is_that_of_the_mixed_features(model):
    inputs, _, (_, samples) = paired()
    model.eval()  # so that BatchNorm gives the same features again
    got = total(model.loss(inputs, samples))
    maps, pairs = aligned(model, inputs, samples)
    mixed = tuple(pairs.mix(level) for level in maps)
    carried = pairs.transports(samples, (160, 160))
    assert all(TRANSPORT in sample.metainfo for sample in carried)
    assert not any(TRANSPORT in sample.metainfo for sample in samples)
    want = total(model.bbox_head.loss(mixed, carried))
    model.train()
    for name in want:
        torch.testing.assert_close(got[name], want[name])
    assert model._features is None


def test_an_identity_plan_is_boxmix_on_features(model, monkeypatch):
    """Identity 36, through the detector."""

    def identity(first, second, **settings):
        return torch.eye(100).expand(len(first), -1, -1)

    monkeypatch.setattr('mmmix.models.alignmix.alignmix.transport_plan', identity)
    inputs, _, (_, samples) = paired()
    model.eval()
    got = total(model.loss(inputs, samples))
    maps = features(model, inputs)
    partners = [sample.metainfo[MIX_PARTNER] for sample in samples]
    mixed = tuple(LAM * level + (1 - LAM) * level[partners] for level in maps)
    for sample in samples:
        sample.pop(MIX_PARTNER)
    want = total(model.bbox_head.loss(mixed, samples))
    model.train()
    torch.testing.assert_close(got['loss_cls'], want['loss_cls'])


def test_an_unmixed_batch_has_the_stock_loss(model):
    inputs, samples, _ = paired()
    model.eval()
    got = total(model.loss(inputs, samples))
    want = total(SingleStageDetector.loss(model, inputs, samples))
    model.train()
    assert got == want


def test_pixels_are_blended_in_a_share_of_the_batches():
    """The option that AlignMixup's code has: counted draws, BoxMix on pixels."""
    model = small(input_prob=0.5).eval()
    inputs, _, (_, samples) = paired()
    hub = MessageHub.get_current_instance()
    drawn = []
    for iteration in range(60):
        hub.update_info('iter', iteration)
        drawn.append(model._draws_inputs())
    assert 15 < sum(drawn) < 45
    hub.update_info('iter', drawn.index(True))
    got = total(model.loss(inputs, samples))
    partners = [sample.metainfo[MIX_PARTNER] for sample in samples]
    blended = LAM * inputs + (1 - LAM) * inputs[partners]
    plain = copy.deepcopy(samples)
    for sample in plain:
        sample.pop(MIX_PARTNER)
    want = total(SingleStageDetector.loss(model, blended, plain))
    for name in want:
        torch.testing.assert_close(got[name], want[name], rtol=1e-4, atol=1e-4)


def test_every_parameter_gets_a_gradient(model):
    """As DistributedDataParallel needs it."""
    inputs, _, (_, samples) = paired()
    model.zero_grad()
    losses = total(model.loss(inputs, samples))
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def faster_rcnn():
    """The config of a small one."""
    cfg = ConfigDict(copy.deepcopy(MODEL))
    cfg['rpn_head'].update(type='MixRPNHead')
    cfg['roi_head'].update(type='MixStandardRoIHead')
    cfg['roi_head']['bbox_head']['type'] = 'MixShared2FCBBoxHead'
    cfg.update(type='AlignMix', detector='FasterRCNN', level=2)
    return cfg


def test_faster_rcnn():
    """A step of both stages; images of two sizes."""
    torch.manual_seed(0)
    model = MODELS.build(faster_rcnn())
    inputs, _, (_, samples) = paired([(64, 64), (48, 64)], divisor=32)
    losses = total(model.loss(inputs, samples))
    assert set(losses) >= {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'}
    assert all(torch.isfinite(loss) for loss in losses.values())
    sum(loss for name, loss in losses.items() if 'loss' in name).backward()
    assert model.neck.fpn_convs[0].conv.weight.grad.abs().sum() > 0


def test_rois_that_fit_a_box_best_are_refused():
    """Their boxes would be matched with RoIs that nothing is taken of."""
    cfg = faster_rcnn()
    # of anchors it is right
    assert MODELS.build(cfg).rpn_head.assigner.match_low_quality
    cfg.train_cfg.rcnn.assigner.match_low_quality = True
    with pytest.raises(ValueError, match=r'rcnn\.assigner.*got MaxIoU.*quality=True'):
        MODELS.build(cfg)
    cfg.train_cfg.rcnn = None
    MODELS.build(cfg)


# --- building ---------------------------------------------------------------


def test_it_is_the_detector_with_another_loss(model):
    assert isinstance(model, AlignMix)
    assert isinstance(model, SingleStageDetector)
    assert type(model).__name__ == 'AlignMixSingleStageDetector'
    cfg = small_config()
    cfg.type = cfg.pop('detector')
    del cfg['level']
    stock = MODELS.build(cfg)
    assert list(stock.state_dict()) == list(model.state_dict())
    assert type(copy.deepcopy(model)) is type(model)


def test_wrong_settings_are_named():
    wrong = small(level=7)
    inputs, _, (_, samples) = paired()
    with pytest.raises(ValueError, match='level of AlignMix is 7'):
        wrong.loss(inputs, samples)
    with pytest.raises(ValueError, match="an index of the neck's maps, got -1"):
        small(level=-1)
    with pytest.raises(ValueError, match='input_prob must lie in'):
        small(input_prob=2.0)
    with pytest.raises(ValueError, match='epsilon must be above 0 and finite, got 0'):
        small(epsilon=0)
    alignmix = load('demo/ssd_digits_alignmix.py').model
    head = dict(alignmix.bbox_head, supervision=dict(type='LossMix'))
    with pytest.raises(ValueError, match=r'supervision BoxMix.*got LossMix'):
        MODELS.build(dict(alignmix, bbox_head=head))
    stock = dict(load('fcos_r50_voc_lossmix.py').model, type='AlignMix', level=0)
    with pytest.raises(TypeError, match='bbox_head is FCOSHead'):
        MODELS.build(stock)


def test_images_are_not_resized_after_their_sizes_were_noted():
    resize = dict(type='BatchSyncRandomResize', random_size_range=(160, 320))
    preprocessor = small_config().data_preprocessor
    (pairs,) = preprocessor.batch_augments
    preprocessor.batch_augments = [resize, pairs]
    small(data_preprocessor=preprocessor)
    preprocessor.batch_augments = [pairs, resize]
    with pytest.raises(ValueError, match="'PairBatch', 'BatchSyncRandomResize'"):
        small(data_preprocessor=preprocessor)
