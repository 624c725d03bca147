"""What is particular to MixYOLOV3Head: grid cells, and terms without a normaliser."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from tests.helpers import annotations, mixed, samples_of, with_supervision
from tests.models.conformance.case import close
from tests.models.conformance.yolov3 import YOLOV3

from .yolov3_reference import HEAD, SIZE, bce, box_of_each_positive, flat, targets
from .yolov3_reference import losses as reference_losses

LAMS = (0.9, 0.3, 0.5)


@pytest.fixture(scope='module')
def heads():
    return YOLOV3.build()


@pytest.fixture(scope='module')
def sides():
    return YOLOV3.sides()


def test_predictions_are_stock(heads):
    stock, mix = heads
    meta = dict(img_shape=(SIZE, SIZE), scale_factor=(1.0, 1.0))
    features = [torch.randn(1, 4, side, side) for side in (3, 6, 12)]
    for source, target in ((stock, mix), (mix, stock)):
        source.init_weights()
        target.load_state_dict(source.state_dict(), strict=True)
        results = []
        for head in (source.eval(), target.eval()):
            with torch.no_grad():
                maps = head(features)
                results.append(head.predict_by_feat(*maps, batch_img_metas=[meta])[0])
        assert len(results[0]) > 0
        assert torch.equal(results[0].bboxes, results[1].bboxes)
        assert torch.equal(results[0].scores, results[1].scores)


@pytest.mark.parametrize('lam', [0.0, 0.3, 1.0])
def test_boxmix_is_the_loss_of_soft_targets(sides, lam):
    """Identities 8 and 9, where no anchor is ignored: one soft target each."""
    stock, mix = YOLOV3.build(neg_iou_thr=1.0)
    preds = YOLOV3.predictions()
    head = with_supervision(mix, type='BoxMix')
    got = YOLOV3.totals(head, preds, mixed(*sides, [lam] * 3))
    (map_a, neg_a), (map_b, neg_b) = (targets(stock, b) for b in sides)
    assert ((map_a[..., 4] + neg_a) == 1).all()
    assert ((map_b[..., 4] + neg_b) == 1).all()
    soft = lam * map_a[..., 4:] + (1 - lam) * map_b[..., 4:]
    assert (soft >= 0).all()
    # Objects' mass over the classes, and the background's, sum to 1.
    np.testing.assert_allclose(soft[..., 1:].sum(-1) + 1 - soft[..., 0], 1.0, atol=1e-6)
    pred = flat(preds[0]).detach().double().numpy()
    conf = bce(pred[..., 4], soft[..., 0]).sum()
    assert got['loss_conf'].item() == pytest.approx(conf, rel=1e-6)
    # Given an object, the class target is the share of each component's class.
    mass = soft[..., :1]
    share = soft[..., 1:] / np.where(mass > 0, mass, 1)
    cls = (mass * bce(pred[..., 5:], share)).sum()
    assert got['loss_cls'].item() == pytest.approx(cls, rel=1e-6)


@pytest.mark.parametrize(('lam', 'side'), [(0.5, 1), (0.5 + 1e-6, 0), (0.2, 1)])
def test_boxmix_regresses_the_dominant_component_only(heads, sides, lam, side):
    """Identity 12: gradients of the box terms are stock ones, with weight 1."""
    stock, mix = heads
    head = with_supervision(mix, type='BoxMix')
    gradients = []
    for model, batch in (
        (head, mixed(*sides, [lam] * 3)),
        (stock, sides[side]),
    ):
        preds = YOLOV3.predictions()
        parts = YOLOV3.totals(model, preds, batch)
        (parts['loss_xy'] + parts['loss_wh']).backward()
        gradients.append(flat([p.grad for p in preds[0]]))
    assert torch.equal(*gradients)
    touched = gradients[0].abs().sum(-1) > 0
    positive = targets(stock, sides[side])[0][..., 4] > 0
    np.testing.assert_array_equal(touched.numpy(), positive)


def test_weighted_union_weighs_positives_by_their_box(heads, sides):
    """All terms of a positive, its confidence too; negatives keep weight 1."""
    stock, mix = heads
    preds = YOLOV3.predictions()
    batch = mixed(*sides, LAMS)
    target, negative = targets(stock, batch)
    weight = np.ones(target.shape[:2])
    for i, instances in enumerate(batch.gt_instances):
        owner = box_of_each_positive(stock, target[i], instances)
        np.testing.assert_array_equal(owner >= 0, target[i, :, 4] == 1)
        factors = np.array([LAMS[i], 1 - LAMS[i]])[instances.mix_ids.numpy()]
        weight[i, owner >= 0] = factors[owner[owner >= 0]]
    assert len(np.unique(weight)) > 4
    want = reference_losses(preds[0], target, negative, weight, weight)
    head = with_supervision(mix, type='WeightedUnion')
    close(YOLOV3.totals(head, preds, batch), want, rtol=1e-5, atol=0)


def test_ignored_boxes_have_no_effect(heads, sides):
    """As in mmdet, whose YOLOv3 head takes and drops them."""
    _, mix = heads
    batch = mixed(*sides, LAMS)
    ignored = InstanceData(bboxes=torch.tensor([[0.0, 0.0, 90.0, 90.0]]))
    ignored.labels = torch.tensor([0])
    ignored.mix_ids = torch.tensor([1])
    preds = YOLOV3.predictions()
    for supervision in ('LossMix', 'BoxMix', 'WeightedUnion'):
        head = with_supervision(mix, type=supervision)
        want = YOLOV3.totals(head, preds, batch)
        got = YOLOV3.totals(head, preds, batch._replace(ignored=[ignored] * 3))
        assert got == want


@pytest.mark.parametrize(
    ('box', 'cell'),
    [
        # Zero area on the far borders, as clipping leaves a box there.
        ((96.0, 20.0, 96.0, 44.0), (2, 5)),
        ((20.0, 96.0, 44.0, 96.0), (5, 2)),
        ((96.0, 96.0, 96.0, 96.0), (5, 5)),
        # Centres beyond a border.
        ((80.0, 20.0, 130.0, 44.0), (2, 5)),
        ((20.0, 80.0, 44.0, 130.0), (5, 2)),
        ((-30.0, 20.0, 20.0, 44.0), (2, 0)),
        ((20.0, -30.0, 44.0, 20.0), (0, 2)),
    ],
)
def test_centres_on_or_beyond_the_border(heads, sides, box, cell):
    """Such a box belongs to the nearest cell; stock crashes or takes another row."""
    stock, mix = heads
    boxes = torch.tensor([box])
    flags = mix.responsible_flags([(3, 3), (6, 6), (12, 12)], boxes, 'cpu')
    assert flags[1].view(6, 6, 3).any(-1).nonzero().tolist() == [list(cell)]
    edge = annotations((1, 0, 1), seed=1, size=SIZE)
    edge.gt_instances[0] = InstanceData(bboxes=boxes, labels=torch.tensor([4]))
    for supervision in ('Union', 'WeightedUnion', 'LossMix', 'BoxMix'):
        preds = YOLOV3.predictions()
        head = with_supervision(mix, type=supervision)
        got = YOLOV3.totals(head, preds, mixed(edge, sides[0], [0.6] * 3))
        sum(got.values()).backward()
        assert all(torch.isfinite(p.grad).all() for p in preds[0])
    if box[1] + box[3] >= 2 * SIZE:
        with pytest.raises(IndexError):
            YOLOV3.totals(stock, YOLOV3.predictions(), edge)


def test_flags_of_centres_on_the_map_are_stock(heads):
    stock, mix = heads
    boxes = torch.cat(
        [i.bboxes for i in annotations((40, 40), seed=9, size=SIZE).gt_instances]
    )
    sizes = [(3, 3), (6, 6), (12, 12)]
    for got, want in zip(
        mix.responsible_flags(sizes, boxes, 'cpu'),
        stock.responsible_flags(sizes, boxes, 'cpu'),
    ):
        assert torch.equal(got, want)


@pytest.mark.parametrize(
    'device', ['cpu', pytest.param('cuda', marks=pytest.mark.cuda)]
)
@pytest.mark.parametrize('supervision', ['LossMix', 'BoxMix', 'WeightedUnion'])
def test_amp_and_devices(sides, supervision, device):
    """Autocast changes the predictions' precision, not the losses'."""
    if device == 'cuda' and not torch.cuda.is_available():
        pytest.skip('needs a GPU')
    dtype = torch.bfloat16 if device == 'cpu' else torch.float16
    head = with_supervision(YOLOV3.build()[1].to(device), type=supervision)
    batch = mixed(*sides, LAMS)
    (maps,) = YOLOV3.predictions()
    want = YOLOV3.totals(head.cpu(), [[p.detach() for p in maps]], batch)
    head.to(device)
    batch = batch._replace(gt_instances=[i.to(device) for i in batch.gt_instances])
    preds = [p.detach().to(device, dtype).requires_grad_() for p in maps]
    with torch.autocast(device, dtype=dtype):
        got = YOLOV3.totals(head, [preds], batch)
    sum(got.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in preds)
    assert all(value.dtype == torch.float32 for value in got.values())
    close({name: value.cpu() for name, value in got.items()}, want, rtol=0.02, atol=0)


@pytest.mark.parametrize('supervision', ['BoxMix', 'LossMix', 'WeightedUnion', 'Union'])
def test_a_detector_learns_from_mixed_batches(supervision):
    """MixBatch, neck and head together; every image has its own λ."""
    torch.manual_seed(0)
    assigner = dict(type='GridAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5)
    mix = dict(type='MixBatch', ratio=dict(type='Beta', alpha=1.0))
    cfg = ConfigDict(
        type='YOLOV3',
        data_preprocessor=dict(type='DetDataPreprocessor', batch_augments=[mix]),
        backbone=dict(type='ResNet', depth=18, base_channels=8, out_indices=(1, 2, 3)),
        neck=dict(
            type='YOLOV3Neck',
            num_scales=3,
            in_channels=[64, 32, 16],
            out_channels=[4, 4, 4],
        ),
        bbox_head=dict(HEAD, type='MixYOLOV3Head', supervision=dict(type=supervision)),
        train_cfg=dict(assigner=assigner),
        test_cfg=HEAD['test_cfg'],
    )
    model = MODELS.build(cfg).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    data = dict(
        inputs=list(torch.randn(4, 3, SIZE, SIZE)),
        data_samples=samples_of(annotations((2, 3, 1, 2), seed=1, size=SIZE)),
    )
    batch = model.data_preprocessor(data, training=True)
    lams = [sample.mix_weights[0] for sample in batch['data_samples']]
    assert len(set(lams)) == 4
    values = []
    for _ in range(10):
        losses = model(**batch, mode='loss')
        assert list(losses) == ['loss_cls', 'loss_conf', 'loss_xy', 'loss_wh']
        loss, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert np.isfinite(values).all()
    assert values[-1] < 0.9 * values[0]
