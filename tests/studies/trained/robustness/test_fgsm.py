"""The attack against a gradient taken apart, and its bounds (identity 39)."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

import mmmix
from mmmix.apis.configs.config_reading import read_config
from mmmix.studies.trained.images.splits import build_split
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.loading import load_detector
from mmmix.studies.trained.models.prediction import predict
from mmmix.studies.trained.robustness.fgsm import attack, predict_attacked

SIZE = 96


def batch(detector, count=2):
    """Normalised random pixels, of which the last image fills a part only."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (count, 3, SIZE, SIZE), generator=generator)
    mean, std = (t.view(3, 1, 1) for t in (detector.mean, detector.std))
    inputs = (pixels - mean) / std
    inputs[-1, :, 80:] = inputs[-1, :, :, 64:] = 0
    samples = []
    for index in range(count):
        shape = (SIZE, SIZE) if index < count - 1 else (80, 64)
        meta = dict(img_shape=shape, pad_shape=(SIZE, SIZE), scale_factor=(1.0, 1.0))
        sample = DetDataSample(metainfo={**meta, 'batch_input_shape': (SIZE, SIZE)})
        sample.gt_instances = InstanceData(
            bboxes=torch.tensor([[10.0, 12.0, 40.0, 50.0]]),
            labels=torch.tensor([index]),
        )
        sample.ignored_instances = sample.gt_instances[:0]
        samples.append(sample)
    return inputs, samples


def losses(detector, inputs, samples):
    """The sum of the head's losses."""
    model = detector.model
    parts = model.bbox_head.loss(model.extract_feat(inputs), samples)
    values = [
        v
        for part in parts.values()
        for v in (part if isinstance(part, list) else [part])
    ]
    return torch.stack([value.sum() for value in values]).sum()


def test_one_step_along_the_sign(tiny_study):
    detector = tiny_study.detector
    inputs, samples = batch(detector)
    before = inputs.clone()
    attacked = attack(detector, inputs, copy.deepcopy(samples), 8)
    assert (inputs == before).all()
    leaf = inputs.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(losses(detector, leaf, samples), leaf)
    mean, std = (t.view(3, 1, 1) for t in (detector.mean, detector.std))
    pixels = inputs * std + mean
    expected = (pixels + 8 * gradient.sign()).clamp(0, 255)
    got = attacked * std + mean
    torch.testing.assert_close(got[0], expected[0], atol=1e-3, rtol=0)
    torch.testing.assert_close(
        got[1, :, :80, :64], expected[1, :, :80, :64], atol=1e-3, rtol=0
    )
    # Padding stays.
    assert (attacked[1, :, 80:] == 0).all()
    assert (attacked[1, :, :, 64:] == 0).all()
    step = (got - pixels).abs().amax() / 255
    assert 7 / 255 < step <= 8 / 255 + 1e-6
    assert losses(detector, attacked, samples) > losses(detector, inputs, samples)
    assert all(parameter.grad is None for parameter in detector.model.parameters())


def test_no_step_changes_nothing(tiny_study):
    inputs, samples = batch(tiny_study.detector)
    assert (attack(tiny_study.detector, inputs, samples, 0) == inputs).all()


def test_detections_on_attacked_images(tiny_study, monkeypatch):
    monkeypatch.chdir(tiny_study.root)
    detector = tiny_study.detector
    dataset = build_split(detector, 'test', 3)
    infos = [dataset.get_data_info(index) for index in range(3)]
    images = [detector.read_image(info) for info in infos]
    state = torch.random.get_rng_state()
    plain = predict(detector, images, infos)
    same, moved = (
        predict_attacked(detector, images, infos, epsilon) for epsilon in (0, 8)
    )
    assert (torch.random.get_rng_state() == state).all()
    assert [sample.img_id for sample in moved] == ['c0', 'c1', 'c2']
    for a, b, c in zip(plain, same, moved):
        torch.testing.assert_close(a.pred_instances.bboxes, b.pred_instances.bboxes)
        torch.testing.assert_close(a.pred_instances.scores, b.pred_instances.scores)
        assert a.instances == c.instances
        assert a.pred_instances.scores[0] != c.pred_instances.scores[0]


def test_two_stages_do_not_depend_on_the_batch(tiny_study, monkeypatch, tmp_path):
    """Each image is attacked as it is when it comes alone."""
    monkeypatch.chdir(tiny_study.root)
    config = mmmix.config_path('demo/faster-rcnn_digits.py')
    torch.manual_seed(0)
    model = MODELS.build(read_config(config).model)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'two.pth')
    detector = load_detector(ModelSpec('two', config, str(tmp_path / 'two.pth')))
    dataset = build_split(detector, 'test', 3)
    infos = [dataset.get_data_info(index) for index in range(3)]
    images = [detector.read_image(info) for info in infos]
    for image, info, one in zip(
        images, infos, predict_attacked(detector, images, infos, 8)
    ):
        (alone,) = predict_attacked(detector, [image], [info], 8)
        assert torch.equal(one.pred_instances.scores, alone.pred_instances.scores)
        assert torch.equal(one.pred_instances.bboxes, alone.pred_instances.bboxes)
    (other,) = predict_attacked(detector, images[:1], infos[:1], 8, seed=1)
    (first,) = predict_attacked(detector, images[:1], infos[:1], 8)
    assert not torch.equal(other.pred_instances.scores, first.pred_instances.scores)


def test_objects_are_scaled_with_the_image(tiny_study, monkeypatch):
    monkeypatch.chdir(tiny_study.root)
    detector = tiny_study.detector
    dataset = build_split(detector, 'test', 1)
    info = dataset.get_data_info(0)
    seen = []
    monkeypatch.setattr(
        'mmmix.studies.trained.robustness.fgsm.attack',
        lambda model, inputs, targets, *rest: seen.extend(targets) or inputs,
    )
    predict_attacked(detector, [detector.read_image(info)], [info], 8)
    # The images of 180 x 160 pixels are resized to 160 x 160.
    expected = torch.tensor([[40 * 160 / 180, 30.0, 120 * 160 / 180, 130.0]])
    torch.testing.assert_close(seen[0].gt_instances.bboxes, expected)
    assert len(seen[0].ignored_instances) == 0


def test_negative_step(tiny_study):
    inputs, samples = batch(tiny_study.detector)
    with pytest.raises(ValueError, match='epsilon >= 0'):
        attack(tiny_study.detector, inputs, samples, -1)
