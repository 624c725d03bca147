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
from mmmix.visualization import class_names, draw_mixed_batch
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


class Failing(Visualizer):
    """Cannot save a picture, say because the disk is full."""

    def add_image(self, name, image, step):
        raise OSError('no space left')


def listening(hook, metainfo, visualizer=None):
    """A preprocessor that a hook listens to, with its runner."""
    model = nn.Module()
    model.data_preprocessor = DetDataPreprocessor(
        batch_augments=[dict(type='MixBatch', ratio=dict(type='Beta', alpha=1.0))]
    )
    runner = SimpleNamespace(
        model=model,
        visualizer=visualizer or Visualizer(),
        train_dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo=metainfo)),
        iter=0,
    )
    hook.before_train(runner)
    return runner


def batch_of(channels=3, seed=0):
    samples = samples_of(annotations((2, 2), seed=seed, size=100))
    images = [torch.full((channels, 100, 100), 9 + i).byte() for i in range(2)]
    return dict(inputs=images, data_samples=samples)


def test_an_error_in_drawing_is_said_once_and_training_goes_on(monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmix.visualization.guarded.print_log', lambda text, **_: said.append(text)
    )
    runner = listening(MixPreviewHook(num_batches=3), {}, Failing())
    for seed in range(4):
        out = runner.model.data_preprocessor(batch_of(seed=seed), training=True)
        assert out['inputs'].shape == (2, 3, 100, 100)
    assert len(said) == 1
    assert 'OSError: no space left' in said[0]
    assert 'MixPreviewHook' in said[0]
    # It has tried three batches, and listens no longer.
    assert not runner.model.data_preprocessor._forward_hooks


@pytest.mark.parametrize(
    ('parts', 'expected'),
    [
        (('a', 'b'), ('a', 'b')),
        ([dict(classes=('a', 'b'), year=7), dict(classes=('a', 'b'), year=12)], 'same'),
        ([dict(classes=('a', 'b')), dict(classes=('b', 'a'))], None),
        ([dict(classes=('a', 'b')), {}], None),
        ([], None),
        (None, None),
    ],
)
def test_names_of_sets_whose_metainfo_differs(parts, expected):
    metainfo = dict(classes=parts) if isinstance(parts, tuple) else parts
    names = ('a', 'b') if expected == 'same' else expected
    assert class_names(metainfo) == names
    runner = listening(MixPreviewHook(num_batches=1), metainfo)
    runner.model.data_preprocessor(batch_of(), training=True)
    ((name, picture, _),) = runner.visualizer.images
    assert name == 'mix_preview'
    assert picture.ndim == 3


@pytest.mark.parametrize('channels', [1, 2, 3, 4, 5])
@pytest.mark.parametrize('bgr_to_rgb', [False, True])
def test_any_number_of_channels_is_shown(channels, bgr_to_rgb):
    values = torch.tensor([40.0, 90.0, 200.0, 7.0, 8.0])[:channels]
    inputs = values.view(1, -1, 1, 1).expand(1, -1, 300, 300)
    samples = samples_of(annotations((0,), size=300))
    picture = draw_mixed_batch(inputs, samples, bgr_to_rgb=bgr_to_rgb)
    expected = {1: [40, 40, 40], 2: [40, 90, 0]}.get(channels, [40, 90, 200])
    if channels > 2 and not bgr_to_rgb:
        expected = expected[::-1]
    assert picture[150, 150].tolist() == expected


def test_labels_beyond_the_names_are_numbers(monkeypatch):
    texts = []
    monkeypatch.setattr(
        'mmmix.visualization.draw_mix._write', lambda _, text, *__: texts.append(text)
    )
    batch = annotations((1,), size=100)
    batch.gt_instances[0].labels[:] = 11
    draw_mixed_batch(torch.zeros(1, 3, 100, 100), samples_of(batch), classes=['a'])
    assert texts == ['11 1.00']


@pytest.mark.slow
def test_a_compiled_step_draws_outside_its_graph():
    """Tracing matplotlib would end the run; so does a forward hook by itself."""
    runner = listening(MixPreviewHook(num_batches=2), {})
    preprocessor = runner.model.data_preprocessor

    def step(data):
        return preprocessor(data, training=True)['inputs'].sum() * 2

    eager = [step(batch_of(seed=seed)) for seed in range(2)]
    compiled_run = listening(MixPreviewHook(num_batches=2), {})
    preprocessor = compiled_run.model.data_preprocessor
    compiled = torch.compile(step, backend='eager')
    assert [compiled(batch_of(seed=seed)) for seed in range(2)] == eager
    for ours, plain in zip(compiled_run.visualizer.images, runner.visualizer.images):
        np.testing.assert_array_equal(ours[1], plain[1])
    assert len(compiled_run.visualizer.images) == 2
