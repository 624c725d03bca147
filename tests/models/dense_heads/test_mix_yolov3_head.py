"""Identities of MixYOLOV3Head (methods 8-12, 14, 15, 17-25)."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from tests.helpers import annotations, mixed, samples_of, total, with_supervision

from .yolov3_reference import (
    HEAD,
    SIZE,
    bce,
    box_of_each_positive,
    flat,
    predictions,
    targets,
)
from .yolov3_reference import losses as reference_losses

CLS, REG = ('loss_cls', 'loss_conf'), ('loss_xy', 'loss_wh')
RULES = ('dominant', 'any', 'factored')
LAMS = (0.9, 0.3, 0.5)


def build(neg_iou_thr=0.5):
    """A stock and a mix-aware head with the same settings."""
    init_default_scope('mmdet')
    assigner = dict(
        type='GridAssigner', pos_iou_thr=0.5, neg_iou_thr=neg_iou_thr, min_pos_iou=0
    )
    cfg = ConfigDict(**HEAD, train_cfg=dict(assigner=assigner))
    kinds = ('YOLOV3Head', 'MixYOLOV3Head')
    return [MODELS.build(dict(copy.deepcopy(cfg), type=kind)) for kind in kinds]


@pytest.fixture(scope='module')
def heads():
    return build()


@pytest.fixture(scope='module')
def batch_a():
    return annotations((3, 1, 4), seed=1, size=SIZE)


@pytest.fixture(scope='module')
def batch_b():
    return annotations((2, 5, 1), seed=2, size=SIZE)


def losses(head, preds, batch):
    return total(head.loss_by_feat(preds, *batch))


def close(got, want, **tolerance):
    assert got.keys() == want.keys()
    for name in want:
        value = torch.as_tensor(want[name], dtype=got[name].dtype)
        torch.testing.assert_close(got[name], value, **tolerance)


def weighted(parts, weights):
    """Σ_k w_k of named losses."""
    return {n: sum(w * p[n] for w, p in zip(weights, parts)) for n in parts[0]}


# --- unmixed ----------------------------------------------------------------


@pytest.mark.parametrize(
    'supervision',
    [dict(type='Union'), dict(type='WeightedUnion'), dict(type='LossMix')]
    + [dict(type='BoxMix', positives=rule) for rule in RULES],
    ids=str,
)
def test_unmixed_samples_are_bit_identical_to_stock(heads, batch_a, supervision):
    """Also identity 24: what the head does before and after mixing."""
    stock, mix = heads
    preds = predictions(3)
    want = stock.loss_by_feat(preds, *batch_a)
    got = with_supervision(mix, **supervision).loss_by_feat(preds, *batch_a)
    assert list(got) == list(want)
    for name in want:
        assert all(torch.equal(g, w) for g, w in zip(got[name], want[name]))


def test_state_dict_and_predictions_are_stock(heads):
    stock, mix = heads
    assert list(stock.state_dict()) == list(mix.state_dict())
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


def test_an_unmixed_image_in_a_mixed_batch(heads, batch_a, batch_b):
    """It counts in full, once."""
    stock, mix = heads
    batch = mixed(batch_a, batch_b, LAMS)
    batch.gt_instances[1], batch.metas[1] = batch_a.gt_instances[1], batch_a.metas[1]
    alone = annotations((3, 1, 4), seed=1, size=SIZE)
    for supervision in ('LossMix', 'BoxMix', 'WeightedUnion', 'Union'):
        head = with_supervision(mix, type=supervision)
        preds = predictions(3)
        sum(losses(head, preds, batch).values()).backward()
        got = [level.grad[1] for level in preds]
        preds = predictions(3)
        sum(losses(stock, preds, alone).values()).backward()
        for gradient, level in zip(got, preds):
            torch.testing.assert_close(gradient, level.grad[1])


# --- BoxMix -----------------------------------------------------------------


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('lams', [LAMS, (0.5001, 0.7, 0.02)], ids=str)
def test_boxmix_equals_the_reference(heads, batch_a, batch_b, rule, lams):
    """Soft confidence and class terms of both, box terms of the dominant one."""
    stock, mix = heads
    preds = predictions(3, seed=3)
    head = with_supervision(mix, type='BoxMix', positives=rule)
    got = losses(head, preds, mixed(batch_a, batch_b, lams))
    lam = np.array(lams)[:, None]
    parts = [
        reference_losses(preds, *targets(stock, batch), cls, reg)
        for batch, cls, reg in (
            (batch_a, lam, lam > 0.5),
            (batch_b, 1 - lam, lam <= 0.5),
        )
    ]
    close(got, weighted(parts, (1, 1)), rtol=1e-5, atol=0)


@pytest.mark.parametrize('lam', [0.0, 0.3, 1.0])
def test_boxmix_is_the_loss_of_soft_targets(batch_a, batch_b, lam):
    """Identities 8 and 9, where no anchor is ignored: one soft target each."""
    stock, mix = build(neg_iou_thr=1.0)
    preds = predictions(3)
    head = with_supervision(mix, type='BoxMix')
    got = losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))
    (map_a, neg_a), (map_b, neg_b) = (targets(stock, b) for b in (batch_a, batch_b))
    assert ((map_a[..., 4] + neg_a) == 1).all()
    assert ((map_b[..., 4] + neg_b) == 1).all()
    soft = lam * map_a[..., 4:] + (1 - lam) * map_b[..., 4:]
    assert (soft >= 0).all()
    # Objects' mass over the classes, and the background's, sum to 1.
    np.testing.assert_allclose(soft[..., 1:].sum(-1) + 1 - soft[..., 0], 1.0, atol=1e-6)
    pred = flat(preds).detach().double().numpy()
    conf = bce(pred[..., 4], soft[..., 0]).sum()
    assert got['loss_conf'].item() == pytest.approx(conf, rel=1e-6)
    # Given an object, the class target is the share of each component's class.
    mass = soft[..., :1]
    share = soft[..., 1:] / np.where(mass > 0, mass, 1)
    cls = (mass * bce(pred[..., 5:], share)).sum()
    assert got['loss_cls'].item() == pytest.approx(cls, rel=1e-6)


@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_boxmix_has_stock_limits(heads, batch_a, batch_b, lam):
    """Identity 10."""
    stock, mix = heads
    preds = predictions(3)
    head = with_supervision(mix, type='BoxMix')
    got = losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))
    want = losses(stock, preds, batch_a if lam == 1.0 else batch_b)
    close(got, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('lam', [0.1, 0.5, 0.8])
def test_boxmix_of_a_sample_with_itself_is_stock(heads, batch_a, lam):
    """Identity 11."""
    stock, mix = heads
    preds = predictions(3)
    head = with_supervision(mix, type='BoxMix')
    got = losses(head, preds, mixed(batch_a, batch_a, [lam] * 3))
    close(got, losses(stock, preds, batch_a), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(('lam', 'side'), [(0.5, 1), (0.5 + 1e-6, 0), (0.2, 1)])
def test_boxmix_regresses_the_dominant_component_only(
    heads, batch_a, batch_b, lam, side
):
    """Identity 12: gradients of the box terms are stock ones, with weight 1."""
    stock, mix = heads
    head = with_supervision(mix, type='BoxMix')
    gradients = []
    for model, batch in (
        (head, mixed(batch_a, batch_b, [lam] * 3)),
        (stock, (batch_a, batch_b)[side]),
    ):
        preds = predictions(3)
        parts = losses(model, preds, batch)
        (parts['loss_xy'] + parts['loss_wh']).backward()
        gradients.append(flat([p.grad for p in preds]))
    assert torch.equal(*gradients)
    touched = gradients[0].abs().sum(-1) > 0
    positive = targets(stock, (batch_a, batch_b)[side])[0][..., 4] > 0
    np.testing.assert_array_equal(touched.numpy(), positive)


def test_boxmix_is_symmetric(heads, batch_a, batch_b):
    """Identity 14."""
    head = with_supervision(heads[1], type='BoxMix')
    preds = predictions(3)
    lams = (0.9, 0.35, 0.6)
    got = losses(head, preds, mixed(batch_a, batch_b, lams))
    swapped = mixed(batch_b, batch_a, [1 - lam for lam in lams])
    close(got, losses(head, preds, swapped), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize('supervision', ['BoxMix', 'LossMix'])
def test_empty_components(heads, batch_a, supervision):
    """Identity 15: an empty partner is background, an empty pair confidence only."""
    stock, mix = heads
    head = with_supervision(mix, type=supervision)
    empty = annotations((0, 0, 0), seed=1, size=SIZE)
    preds = predictions(3)
    got = losses(head, preds, mixed(batch_a, empty, [0.7] * 3))
    full, background = (losses(stock, preds, b) for b in (batch_a, empty))
    assert [name for name in full if background[name] == 0] == [
        'loss_cls',
        'loss_xy',
        'loss_wh',
    ]
    want = weighted((full, background), (0.7, 0.3))
    if supervision == 'BoxMix':
        want |= {name: full[name] for name in REG}
    close(got, want, rtol=1e-6, atol=0)
    nothing = losses(head, preds, mixed(empty, empty, [0.7] * 3))
    close(nothing, background, rtol=1e-6, atol=0)
    sum(nothing.values()).backward()


def test_boxmix_takes_two_components(heads, batch_a, batch_b):
    batch = mixed(batch_a, batch_b, [0.5] * 3)
    batch.metas[0]['mix_weights'] = (0.5, 0.25, 0.25)
    with pytest.raises(ValueError, match='two components, got 3'):
        losses(with_supervision(heads[1], type='BoxMix'), predictions(3), batch)


# --- LossMix ----------------------------------------------------------------


@pytest.mark.parametrize('lam', [0.0, 0.25, 0.7, 1.0])
def test_lossmix_is_the_weighted_sum_of_stock_losses(heads, batch_a, batch_b, lam):
    """Identity 17."""
    stock, mix = heads
    preds = predictions(3)
    head = with_supervision(mix, type='LossMix')
    got = losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))
    sides = [losses(stock, preds, batch) for batch in (batch_a, batch_b)]
    close(got, weighted(sides, (lam, 1 - lam)), rtol=1e-6, atol=0)


def test_lossmix_weights_each_image(heads, batch_a, batch_b):
    """Identities 18 and 19: a sum of single-image losses, without normaliser."""
    stock, mix = heads
    lams = (0.15, 0.6, 1.0)
    preds = predictions(3)
    head = with_supervision(mix, type='LossMix')
    got = losses(head, preds, mixed(batch_a, batch_b, lams))
    parts, weights = [], []
    for batch, side in ((batch_a, lams), (batch_b, [1 - lam for lam in lams])):
        for i, weight in enumerate(side):
            one = batch._replace(
                gt_instances=batch.gt_instances[i : i + 1],
                metas=batch.metas[i : i + 1],
                ignored=None,
            )
            parts.append(losses(stock, [level[i : i + 1] for level in preds], one))
            weights.append(weight)
    close(got, weighted(parts, weights), rtol=1e-5, atol=0)


@pytest.mark.parametrize('supervision', ['LossMix', 'BoxMix', 'WeightedUnion'])
def test_lam_of_one_image_leaves_the_others_alone(heads, batch_a, batch_b, supervision):
    """Identity 18, gradients: exact."""
    head = with_supervision(heads[1], type=supervision)
    gradients = []
    for lams in ((0.2, 0.6, 0.9), (0.7, 0.6, 0.9)):
        preds = predictions(3)
        sum(losses(head, preds, mixed(batch_a, batch_b, lams)).values()).backward()
        gradients.append(flat([p.grad for p in preds]))
    assert torch.equal(gradients[0][1:], gradients[1][1:])
    assert not torch.equal(gradients[0][0], gradients[1][0])


def test_lossmix_is_linear_in_lam(heads, batch_a, batch_b):
    """Identity 20."""
    head = with_supervision(heads[1], type='LossMix')
    preds = predictions(3)
    at = [
        losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))
        for lam in (0.25, 0.75, 0.0, 1.0)
    ]
    for name in at[0]:
        inner, outer = at[0][name] + at[1][name], at[2][name] + at[3][name]
        torch.testing.assert_close(inner, outer, rtol=1e-5, atol=0)


@pytest.mark.parametrize(('cls', 'reg'), [(True, False), (False, True), (False, False)])
def test_lossmix_term_switches(heads, batch_a, batch_b, cls, reg):
    """Identity 21: conf and cls are one switch, xy and wh the other."""
    _, mix = heads
    preds = predictions(3)
    batch = mixed(batch_a, batch_b, LAMS)
    got, full, union = (
        losses(with_supervision(mix, **supervision), preds, batch)
        for supervision in (
            dict(type='LossMix', cls=cls, reg=reg),
            dict(type='LossMix'),
            dict(type='Union'),
        )
    )
    for names, on in ((CLS, cls), (REG, reg)):
        for name in names:
            assert torch.equal(got[name], (full if on else union)[name])
            assert not torch.equal(full[name], union[name])


def test_boxmix_and_lossmix_share_cls_and_conf(heads, batch_a, batch_b):
    """Identity 25, which needs no condition here; the box terms differ."""
    preds = predictions(3)
    batch = mixed(batch_a, batch_b, LAMS)
    boxmix, lossmix = (
        losses(with_supervision(heads[1], type=name), preds, batch)
        for name in ('BoxMix', 'LossMix')
    )
    for name in CLS:
        torch.testing.assert_close(boxmix[name], lossmix[name], rtol=1e-6, atol=0)
    assert all(abs(boxmix[name] - lossmix[name]) > 0.1 for name in REG)


# --- Union and WeightedUnion ------------------------------------------------


def test_union_is_stock_on_all_boxes(heads, batch_a, batch_b):
    """Identity 22: whatever the weights."""
    stock, mix = heads
    preds = predictions(3)
    for lam in (0.1, 0.9):
        batch = mixed(batch_a, batch_b, [lam] * 3)
        got = losses(with_supervision(mix, type='Union'), preds, batch)
        assert got == losses(stock, preds, batch)


def test_weighted_union_weighs_positives_by_their_box(heads, batch_a, batch_b):
    """All terms of a positive, its confidence too; negatives keep weight 1."""
    stock, mix = heads
    preds = predictions(3)
    batch = mixed(batch_a, batch_b, LAMS)
    target, negative = targets(stock, batch)
    weight = np.ones(target.shape[:2])
    for i, instances in enumerate(batch.gt_instances):
        owner = box_of_each_positive(stock, target[i], instances)
        np.testing.assert_array_equal(owner >= 0, target[i, :, 4] == 1)
        factors = np.array([LAMS[i], 1 - LAMS[i]])[instances.mix_ids.numpy()]
        weight[i, owner >= 0] = factors[owner[owner >= 0]]
    assert len(np.unique(weight)) > 4
    want = reference_losses(preds, target, negative, weight, weight)
    head = with_supervision(mix, type='WeightedUnion')
    close(losses(head, preds, batch), want, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ('supervision', 'own', 'other'),
    [
        ('LossMix', 0.7, 0.3),
        ('BoxMix', 0.7, 0.3),
        ('WeightedUnion', 1.0, 1.0),
        ('Union', 1.0, 1.0),
    ],
)
def test_optimum_of_free_logits(supervision, own, other):
    """Identity 23: λ moves the confidence target of LossMix and BoxMix only."""
    stock, mix = build(neg_iou_thr=1.0)
    sides = [annotations((1,), seed=seed, size=SIZE) for seed in (1, 2)]
    boxes = ((4.0, 4.0, 40.0, 40.0), (60.0, 62.0, 90.0, 86.0))
    for side, box, label in zip(sides, boxes, (3, 7)):
        side.gt_instances[0].bboxes = torch.tensor([box])
        side.gt_instances[0].labels = torch.tensor([label])
    batch = mixed(*sides, [0.7])
    head = with_supervision(mix, type=supervision)
    preds = predictions(1, scale=0.0)
    optimizer = torch.optim.Adam(preds, lr=0.5)
    for _ in range(80):
        optimizer.zero_grad()
        parts = losses(head, preds, batch)
        (parts['loss_conf'] + parts['loss_cls']).backward()
        optimizer.step()
    probs = flat(preds)[0].detach().sigmoid().numpy()
    for side, label, want in ((sides[0], 3, own), (sides[1], 7, other)):
        positive = targets(stock, side)[0][0, :, 4] > 0
        assert positive.any()
        np.testing.assert_allclose(probs[positive, 4], want, atol=0.01)
        np.testing.assert_allclose(probs[positive, 5 + label], 1.0, atol=0.01)


# --- pitfalls ---------------------------------------------------------------


def test_ignored_boxes_have_no_effect(heads, batch_a, batch_b):
    """As in mmdet, whose YOLOv3 head takes and drops them."""
    _, mix = heads
    batch = mixed(batch_a, batch_b, LAMS)
    ignored = InstanceData(bboxes=torch.tensor([[0.0, 0.0, 90.0, 90.0]]))
    ignored.labels = torch.tensor([0])
    ignored.mix_ids = torch.tensor([1])
    preds = predictions(3)
    for supervision in ('LossMix', 'BoxMix', 'WeightedUnion'):
        head = with_supervision(mix, type=supervision)
        want = losses(head, preds, batch)
        got = losses(head, preds, batch._replace(ignored=[ignored] * 3))
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
def test_centres_on_or_beyond_the_border(heads, batch_a, box, cell):
    """Such a box belongs to the nearest cell; stock crashes or takes another row."""
    stock, mix = heads
    boxes = torch.tensor([box])
    flags = mix.responsible_flags([(3, 3), (6, 6), (12, 12)], boxes, 'cpu')
    assert flags[1].view(6, 6, 3).any(-1).nonzero().tolist() == [list(cell)]
    edge = annotations((1, 0, 1), seed=1, size=SIZE)
    edge.gt_instances[0] = InstanceData(bboxes=boxes, labels=torch.tensor([4]))
    for supervision in ('Union', 'WeightedUnion', 'LossMix', 'BoxMix'):
        preds = predictions(3)
        head = with_supervision(mix, type=supervision)
        got = losses(head, preds, mixed(edge, batch_a, [0.6] * 3))
        sum(got.values()).backward()
        assert all(torch.isfinite(p.grad).all() for p in preds)
    if box[1] + box[3] >= 2 * SIZE:
        with pytest.raises(IndexError):
            losses(stock, predictions(3), edge)


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


@pytest.mark.parametrize('device', ['cpu', 'cuda'])
@pytest.mark.parametrize('supervision', ['LossMix', 'BoxMix', 'WeightedUnion'])
def test_amp_and_devices(batch_a, batch_b, supervision, device):
    """Autocast changes the predictions' precision, not the losses'."""
    if device == 'cuda' and not torch.cuda.is_available():
        pytest.skip('needs a GPU')
    dtype = torch.bfloat16 if device == 'cpu' else torch.float16
    head = with_supervision(build()[1].to(device), type=supervision)
    batch = mixed(batch_a, batch_b, LAMS)
    want = losses(head.cpu(), [p.detach() for p in predictions(3)], batch)
    head.to(device)
    batch = batch._replace(gt_instances=[i.to(device) for i in batch.gt_instances])
    preds = [p.detach().to(device, dtype).requires_grad_() for p in predictions(3)]
    with torch.autocast(device, dtype=dtype):
        got = losses(head, preds, batch)
    sum(got.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in preds)
    assert all(value.dtype == torch.float32 for value in got.values())
    close({name: value.cpu() for name, value in got.items()}, want, rtol=0.02, atol=0)


# --- in a detector ----------------------------------------------------------


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
