"""What the passes of LossMixDetector get, and leave behind."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.models.detectors import DETR, MaskRCNN
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import load_checkpoint, save_checkpoint

from mmmix.apis.launching.launch import released
from mmmix.models.supervisions import LossMix

from . import zoo
from .pairs import LAM, batch

# --- what a pass gets -------------------------------------------------------


def test_masks_and_ignored_boxes_travel_with_their_component(monkeypatch):
    """A pass sees one component's annotations and no trace of mixing."""
    cfg = zoo.config('MaskRCNN')
    model = zoo.build(cfg, type='LossMixDetector', detector='MaskRCNN')
    seen = []
    monkeypatch.setattr(
        MaskRCNN, 'loss', lambda self, inputs, samples: seen.append(samples) or {}
    )
    inputs, samples = batch(with_masks=True)
    ignored = zoo.objects(7, 3, with_masks=True)
    ignored.mix_ids = torch.tensor([1, 0, 1])
    samples[1].ignored_instances = ignored
    model.loss(inputs, samples)
    assert len(seen) == 2
    for k, (counts, num_ignored) in enumerate((((3, 2), 1), ((2, 4), 2))):
        for i, sample in enumerate(seen[k]):
            want = zoo.objects(10 * k + i, counts[i], with_masks=True)
            got = sample.gt_instances
            assert set(got.keys()) == {'bboxes', 'labels', 'masks'}
            assert torch.equal(got.bboxes, want.bboxes)
            assert torch.equal(got.labels, want.labels)
            np.testing.assert_array_equal(got.masks.masks, want.masks.masks)
            assert sample.img_id == i
            assert {'mix_weights', 'loss_factors', 'mix_supervision'}.isdisjoint(
                sample.metainfo
            )
        kept = seen[k][1].ignored_instances
        assert 'mix_ids' not in kept
        assert torch.equal(kept.bboxes, ignored.bboxes[ignored.mix_ids == k])
        assert len(kept) == num_ignored
    assert samples[0].mix_weights == (LAM, 1 - LAM)
    assert 'mix_ids' in samples[0].gt_instances


def test_features_are_not_kept_after_the_loss(model):
    """The same tensor again, even after an error, runs the backbone again."""
    inputs, samples = batch()
    runs = []
    handle = model.backbone.register_forward_hook(lambda *_: runs.append(1))
    model.loss(inputs, samples)
    model.extract_feat(inputs)
    assert len(runs) == 2
    samples[1].set_metainfo(dict(mix_weights=(0.9, 0.2)))
    with pytest.raises(ValueError, match='sum to 1'):
        model.loss(inputs, samples)
    del samples[1].gt_instances.labels
    samples[1].set_metainfo(dict(mix_weights=(LAM, 1 - LAM)))
    with pytest.raises(AttributeError):
        model.loss(inputs, samples)
    assert len(runs) == 3
    model.extract_feat(inputs)
    assert len(runs) == 4
    handle.remove()


def test_copies_are_independent(model):
    """As the EMA hook makes them."""
    clone = copy.deepcopy(model)
    assert type(clone) is type(model)
    got, want = (zoo.flat(m.loss(*batch())) for m in (clone, model))
    assert all(torch.equal(got[key], want[key]) for key in want)
    with torch.no_grad():
        clone.bbox_head.retina_cls.bias += 1
    assert not torch.equal(zoo.flat(clone.loss(*batch()))['loss_cls'], want['loss_cls'])


# --- weights ----------------------------------------------------------------


def test_each_image_its_own_lam_is_refused(model):
    inputs, samples = batch(lams=(0.3, 0.4))
    with pytest.raises(ValueError, match=r"0\.3.*0\.4.*lam_per='batch'"):
        model.loss(inputs, samples)


def test_union_takes_any_weights(cfg, stock, model):
    """Identity 22."""
    union = zoo.build(
        cfg,
        type='LossMixDetector',
        detector='RetinaNet',
        supervision=dict(type='Union'),
    )
    union.load_state_dict(stock.state_dict())
    got = zoo.flat(union.loss(*batch(lams=(0.1, 0.9))))
    inputs, samples = batch()
    plain = [zoo.sample(sample.gt_instances, i) for i, sample in enumerate(samples)]
    want = zoo.flat(stock.loss(inputs, plain))
    assert all(torch.equal(got[key], want[key]) for key in want)


def test_a_mix_aware_head_inside_supervises_no_second_time(cfg, stock):
    """Neither by the mixer's supervision, which the wrapper's own replaces."""
    union = zoo.build(
        cfg,
        type='LossMixDetector',
        detector='RetinaNet',
        supervision=dict(type='Union'),
        bbox_head=dict(cfg.model.bbox_head, type='MixRetinaHead'),
    )
    union.load_state_dict(stock.state_dict())
    inputs, samples = batch(lams=(0.1, 0.9))
    plain = [zoo.sample(sample.gt_instances, i) for i, sample in enumerate(samples)]
    for sample in samples:
        sample.set_metainfo(dict(mix_supervision=LossMix()))
    got, want = (
        zoo.flat(model.loss(inputs, some))
        for model, some in ((union, samples), (stock, plain))
    )
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(('cls', 'reg'), [(True, False), (False, True), (False, False)])
def test_term_switches(monkeypatch, cls, reg):
    """Identity 21 on DETR, whose box terms have two names and six sets."""
    stock_loss = DETR.loss

    def seeded(self, *args):
        torch.manual_seed(0)
        return stock_loss(self, *args)

    monkeypatch.setattr(DETR, 'loss', seeded)
    cfg = zoo.config('DETR')
    losses = {}
    for name, supervision in dict(
        full=dict(type='LossMix'),
        union=dict(type='Union'),
        switched=dict(type='LossMix', cls=cls, reg=reg),
    ).items():
        model = zoo.build(
            cfg, type='LossMixDetector', detector='DETR', supervision=supervision
        )
        losses[name] = zoo.flat(model.loss(*batch()))
    for name, value in losses['switched'].items():
        on = reg if name.endswith(('loss_bbox', 'loss_iou')) else cls
        assert torch.equal(value, losses['full' if on else 'union'][name])
        assert not torch.equal(value, losses['union' if on else 'full'][name])


# --- around it --------------------------------------------------------------


def test_distributed_training_gives_the_same_gradients(model, tmp_path):
    """One forward for DDP, though the head runs twice; keys with its prefix."""
    plain, inner = copy.deepcopy(model), copy.deepcopy(model)
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1
    )
    try:
        wrapped = MMDistributedDataParallel(inner, device_ids=None)
        inputs, samples = batch()
        with released(SimpleNamespace(model=wrapped)):
            losses = wrapped(inputs, samples, mode='loss')
            inner.parse_losses(losses)[0].backward()
        state = wrapped.state_dict()
    finally:
        torch.distributed.destroy_process_group()
    plain.parse_losses(plain.loss(inputs, samples))[0].backward()
    for got, want in zip(inner.parameters(), plain.parameters()):
        torch.testing.assert_close(got.grad, want.grad)
    path = str(tmp_path / 'ddp.pth')
    save_checkpoint(dict(state_dict=state), path)
    assert 'module.bbox_head.retina_cls.weight' in state
    load_checkpoint(plain, path, strict=True)


def test_amp(model):
    """Losses under autocast are float32 and finite, gradients too."""
    inputs, samples = batch()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(inputs, samples)
    total = model.parse_losses(losses)[0]
    total.backward()
    assert total.dtype == torch.float32
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    model.zero_grad()
    want = model.parse_losses(model.loss(inputs, samples))[0]
    torch.testing.assert_close(total, want, rtol=0.02, atol=0)
