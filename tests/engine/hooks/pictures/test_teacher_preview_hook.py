"""TeacherPreviewHook: which iterations, which batches."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from mmmix.engine import TeacherPreviewHook
from mmmix.models.teachers import TeacherProgress
from tests.models.teachers import domain, semi


class Visualizer:
    """Keeps the names and steps of pictures, and the last one of each name."""

    def __init__(self):
        self.steps = {}
        self.pictures = {}

    def add_image(self, name, image, step):
        self.steps.setdefault(name, []).append(step)
        self.pictures[name] = image


def run(hook, model, steps, burn_in, first=0, metainfo=()):
    """Iterations of training with the hook in place."""
    visualizer = Visualizer()
    dataset = SimpleNamespace(metainfo=metainfo)
    runner = SimpleNamespace(
        model=model,
        visualizer=visualizer,
        train_dataloader=SimpleNamespace(dataset=dataset),
        iter=first,
    )
    hook.before_train(runner)
    for iteration in range(first, steps):
        runner.iter = iteration
        model.set_progress(TeacherProgress(iteration=iteration, burn_in=burn_in))
        hook.before_train_iter(runner, 0)
        semi.script(model, *domain.SEEN)
        model.loss(*semi.batch(domain.SOURCE, len(domain.SEEN)))
        hook.after_train_iter(runner, 0)
    return visualizer


def semi_model():
    return semi.configure(supervision='LossMix', mixers=dict(cross=semi.mixer()))


def test_the_first_iterations_of_a_run_and_after_burn_in():
    shown = run(TeacherPreviewHook(num_batches=2), semi_model(), 8, burn_in=4).steps
    assert shown.pop('preview_sup') == [0, 1, 4, 5]
    assert shown == dict.fromkeys(
        ('preview_weak', 'preview_strong', 'preview_unsup', 'preview_cross'), [4, 5]
    )


def test_a_resumed_run_and_an_interval():
    hook = TeacherPreviewHook(num_batches=1, interval=3)
    shown = run(hook, semi_model(), 12, burn_in=2, first=5).steps
    assert shown['preview_cross'] == [5, 6, 9]
    assert not run(TeacherPreviewHook(num_batches=0), semi_model(), 3, 1).steps
    assert not run(TeacherPreviewHook(max_images=0), semi_model(), 3, 1).steps


def test_the_terms_of_a_mixed_domain_teacher():
    model = domain.configure('SSD', 'LossMix', domain.mixers())
    shown = run(TeacherPreviewHook(), model, 3, burn_in=2).steps
    assert shown == dict(
        preview_mss=[0, 2],
        preview_nst=[0],
        preview_weak=[2],
        preview_strong=[2],
        preview_mtt=[2],
        preview_mst=[2],
    )


def test_pictures_are_of_the_images_the_student_learns_from():
    """Unmixed, the picture is the input; the weak view has the teacher's boxes."""
    hook = TeacherPreviewHook(max_images=1)
    model = semi.configure()
    pictures = run(hook, model, 1, burn_in=0).pictures
    inner = model.data_preprocessor.data_preprocessor
    inputs, _ = semi.batch(domain.SOURCE, len(domain.SEEN))
    for name, branch in (('sup', 'sup'), ('weak', 'unsup_teacher')):
        image = (inputs[branch][0] * inner.std + inner.mean).round().clamp(0, 255)
        scale = pictures[f'preview_{name}'].shape[0] // semi.SIZE
        small = torch.from_numpy(pictures[f'preview_{name}'][::scale, ::scale].copy())
        same = (small == image.permute(1, 2, 0).byte()).all(dim=-1).float().mean()
        # the rest is under boxes and names
        assert 0.3 < same < 1.0


class Watched(nn.Module):
    """Shows whoever watches a batch, and computes something."""

    def __init__(self, preprocessor):
        super().__init__()
        self.data_preprocessor = preprocessor
        self._watcher = None

    def watch(self, watcher):
        self._watcher = watcher

    def set_progress(self, progress):
        self.progress = progress

    def forward(self, inputs, samples):
        if self._watcher is not None:
            self._watcher('sup', (inputs, samples))
        return inputs.sum() * 2


@pytest.mark.slow
def test_a_compiled_step_draws_outside_its_graph(monkeypatch):
    """Tracing matplotlib would end the run."""
    inputs, samples = semi.batch(domain.SOURCE, len(domain.SEEN))
    batch = inputs['sup'], samples['sup']
    monkeypatch.setattr(semi, 'script', lambda *_: None)
    monkeypatch.setattr(semi, 'batch', lambda *_: batch)
    pictures = []
    for backend in (None, 'eager'):
        model = Watched(semi_model().data_preprocessor)
        model.loss = torch.compile(model, backend=backend) if backend else model
        shown = run(TeacherPreviewHook(num_batches=1), model, 2, burn_in=2)
        assert shown.steps == dict(preview_sup=[0])
        pictures.append(shown.pictures['preview_sup'])
    np.testing.assert_array_equal(*pictures)


def test_what_it_refuses():
    with pytest.raises(ValueError, match='interval must not be negative, got -1'):
        TeacherPreviewHook(interval=-1)
    with pytest.raises(TypeError, match='MixTeacher.*got Identity.*MixPreviewHook'):
        run(TeacherPreviewHook(), nn.Identity(), 1, 1)


def test_drawing_never_ends_a_run(monkeypatch):
    """Not with sets whose metainfo differs, nor where saving fails."""
    said = []
    monkeypatch.setattr(
        'mmmix.visualization.guarded.print_log', lambda text, **_: said.append(text)
    )
    parts = [dict(classes=('a',), year=7), dict(classes=('a',), year=12)]
    shown = run(TeacherPreviewHook(), semi_model(), 1, burn_in=4, metainfo=parts)
    assert shown.steps == dict(preview_sup=[0])
    assert not said
    monkeypatch.setattr(Visualizer, 'add_image', lambda *_, **__: 1 / 0)
    assert not run(TeacherPreviewHook(num_batches=2), semi_model(), 3, 1).steps
    assert len(said) == 1
    assert 'ZeroDivisionError' in said[0]
