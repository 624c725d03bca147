"""MixPreviewHook and the drawing behind it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.models import DetDataPreprocessor
from torch import nn

from mmmix.engine import MixPreviewHook
from mmmix.models import MixBatch
from mmmix.visualization import draw_mixed_batch
from tests.helpers import annotations, mixed, samples_of

MEAN, STD = torch.tensor([123.0, 116.0, 103.0]), torch.tensor([58.0, 57.0, 50.0])


class Visualizer:
    """Keeps what it is given."""

    def __init__(self):
        self.images = []

    def add_image(self, name, image, step):
        self.images.append((name, image, step))


def run(hook, iterations):
    """Preprocess some batches with the hook in place."""
    model = nn.Module()
    model.data_preprocessor = DetDataPreprocessor(
        batch_augments=[dict(type='MixBatch', ratio=dict(type='Beta', alpha=1.0))]
    )
    runner = SimpleNamespace(
        model=model,
        visualizer=Visualizer(),
        train_dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo={})),
        iter=0,
    )
    hook.before_train(runner)
    for iteration in range(iterations):
        runner.iter = iteration
        samples = samples_of(annotations((2, 2), seed=iteration, size=100))
        inputs = [torch.zeros(3, 100, 100, dtype=torch.uint8)] * 2
        model.data_preprocessor(
            dict(inputs=inputs, data_samples=samples), training=True
        )
    return runner.visualizer.images, model.data_preprocessor


def test_saves_the_first_batches_and_stops_listening():
    images, preprocessor = run(MixPreviewHook(num_batches=2), 4)
    assert [(name, step) for name, _, step in images] == [
        ('mix_preview', 0),
        ('mix_preview', 1),
    ]
    assert not preprocessor._forward_hooks
    assert run(MixPreviewHook(num_batches=0), 1)[0] == []


def test_colours_come_back_and_boxes_follow_their_component():
    """The picture shows raw colours, a green frame for 0 and a red one for 1."""
    batch = mixed(
        annotations((1,), seed=0, size=300), annotations((1,), seed=1, size=300), [0.7]
    )
    boxes = torch.tensor([[20.0, 40.0, 120.0, 140.0], [160.0, 160.0, 280.0, 280.0]])
    batch.gt_instances[0].bboxes = boxes
    raw = torch.tensor([40.0, 90.0, 200.0]).view(1, 3, 1, 1).expand(1, 3, 300, 300)
    inputs = (raw - MEAN.view(1, 3, 1, 1)) / STD.view(1, 3, 1, 1)
    draw = dict(mean=MEAN, std=STD, classes=[f'c{i}' for i in range(20)])
    picture = draw_mixed_batch(inputs, samples_of(batch), bgr_to_rgb=True, **draw)
    assert picture.shape == (300, 300, 3)
    assert picture[5, 150].tolist() == [40, 90, 200]
    frames = {0: (44, 160, 44), 1: (214, 39, 40)}
    for component, color in frames.items():
        x1, y1, x2, y2 = boxes[component].int().tolist()
        right = picture[y1 + 30 : y2 - 30, x2 - 2 : x2 + 3].astype(int)
        distance = np.abs(right - np.array(color)).sum(-1).min(axis=1)
        assert distance.max() < 60
    flipped = draw_mixed_batch(inputs, samples_of(batch), bgr_to_rgb=False, **draw)
    assert flipped[5, 150].tolist() == [200, 90, 40]


@pytest.mark.parametrize(('count', 'grid'), [(1, (1, 1)), (3, (2, 2)), (9, (3, 3))])
def test_grid(count, grid):
    samples = samples_of(annotations((1,) * count, size=300))
    picture = draw_mixed_batch(torch.zeros(count, 3, 300, 300), samples, max_images=9)
    assert picture.shape[:2] == tuple(n * 304 - 4 for n in grid)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match='num_batches'):
        MixPreviewHook(num_batches=-1)


def test_a_mixer_after_the_preprocessor_is_listened_to():
    """LevelMixDetector's batches are mixed later than those of others."""
    model = nn.Module()
    model.data_preprocessor = DetDataPreprocessor()
    model.mixer = MixBatch(ratio=dict(type='Constant', value=0.4))
    runner = SimpleNamespace(
        model=model,
        visualizer=Visualizer(),
        train_dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo={})),
        iter=0,
    )
    MixPreviewHook(num_batches=1).before_train(runner)
    assert not model.data_preprocessor._forward_hooks
    samples = samples_of(annotations((2, 2), size=100))
    inputs = torch.stack([torch.full((3, 100, 100), v) for v in (100.0, 200.0)])
    mixed_inputs, mixed_samples = model.mixer(inputs, samples)
    assert not model.mixer._forward_hooks
    ((name, picture, _),) = runner.visualizer.images
    want = draw_mixed_batch(
        mixed_inputs, mixed_samples, mean=None, std=None, bgr_to_rgb=False
    )
    assert name == 'mix_preview'
    np.testing.assert_array_equal(picture, want)


def test_clipped_boxes_show_their_visible_share(monkeypatch):
    batch = mixed(annotations((1,), size=100), annotations((1,), 1, 100), [0.7])
    texts = []
    monkeypatch.setattr(
        'mmmix.visualization.draw_mix._write', lambda _, text, *__: texts.append(text)
    )
    samples = samples_of(batch)
    draw = dict(
        mean=None, std=None, bgr_to_rgb=True, classes=[str(i) for i in range(20)]
    )
    draw_mixed_batch(torch.zeros(1, 3, 100, 100), samples, **draw)
    samples[0].gt_instances.mix_visibility = torch.tensor([1.0, 0.31])
    draw_mixed_batch(torch.zeros(1, 3, 100, 100), samples, **draw)
    figures = [text.split()[-1] for text in texts]
    assert figures == ['0.70', '0.30', '0.30', '1.00', '0.31', '0.30']
