"""The phases of MixTeacher and its steps."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample

from mmmix.models.teachers import TeacherProgress
from tests.models.detectors import zoo
from tests.models.teachers import semi

SEEN = semi.scored(semi.objects(2, 20), (0.9, 0.95))
LABELLED = (semi.objects(2, 10), semi.objects(1, 11))
PHOTO = dict(type='DetDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3)


def build(name='SSD', supervision=None, **settings):
    """A freshly built model."""
    return MODELS.build(semi.config(semi.detector(name, supervision), **settings))


# --- phases -----------------------------------------------------------------


def test_burn_in_needs_neither_teacher_nor_unlabelled_images():
    """Identity 32."""
    mixers = dict(sup=semi.mixer(0.5), unsup=semi.mixer(), cross=semi.mixer())
    model = semi.configure('SSD', 'LossMix', mixers, ramp_up=10)
    inputs, samples = semi.batch(LABELLED, 2)
    handle = model.teacher.register_forward_pre_hook(_fail)
    backbone = model.teacher.backbone.register_forward_pre_hook(_fail)
    try:
        model.set_progress(TeacherProgress(iteration=2, burn_in=3))
        losses = model.loss(dict(sup=inputs['sup']), dict(sup=samples['sup']))
        assert set(losses) == {'sup_loss_cls', 'sup_loss_bbox'}
        whole = model.loss(inputs, samples)
        assert set(whole) == set(losses)
        model.set_progress(TeacherProgress(iteration=3, burn_in=3))
        with pytest.raises(AssertionError, match='the teacher ran'):
            model.loss(inputs, samples)
    finally:
        handle.remove()
        backbone.remove()


def _fail(*_):
    raise AssertionError('the teacher ran')


@pytest.mark.parametrize('missing', ['sup', 'unsup_teacher', 'unsup_student'])
def test_a_missing_branch(missing):
    model = semi.configure()
    inputs, samples = semi.batch(LABELLED, 1)
    del inputs[missing]
    with pytest.raises(KeyError, match=f"no branch '{missing}', only.*MultiBranch"):
        model.loss(inputs, samples)


def test_views_of_different_images():
    model = semi.configure()
    semi.script(model, SEEN, SEEN)
    inputs, samples = semi.batch(LABELLED, 2)
    inputs['unsup_student'] = inputs['unsup_student'][:1]
    del samples['unsup_student'][1:]
    with pytest.raises(ValueError, match='two views of the same images, got 2 and 1'):
        model.loss(inputs, samples)


def test_a_ramp_up_needs_the_hook():
    model = semi.configure(ramp_up=5)
    semi.script(model, SEEN)
    with pytest.raises(ValueError, match='ramp_up=5 needs.*MixTeacherHook'):
        model.loss(*semi.batch(LABELLED, 1))


def test_the_teacher_sees_the_weak_view_in_mini_batches():
    model = semi.configure(teacher_batch_size=2)
    calls = semi.script(model, SEEN, SEEN, SEEN)
    inputs, samples = semi.batch(LABELLED, 3)
    given = []
    scripted = model.teacher.predict

    def predict(inputs, samples, rescale=True):
        given.append(inputs)
        return scripted(inputs, samples, rescale)

    model.teacher.predict = predict
    losses = model.loss(inputs, samples)
    assert calls == [2, 1]
    assert torch.equal(torch.cat(given), inputs['unsup_teacher'])
    assert losses['pseudo_count'].item() == 2.0


# --- training mode and steps ------------------------------------------------


def test_train_leaves_the_teacher_in_eval_mode():
    """Identity 28, first half."""
    model = semi.configure()
    for mode in (True, False, True):
        assert model.train(mode) is model
        assert not any(module.training for module in model.teacher.modules())
        assert all(module.training == mode for module in model.student.modules())
        assert model.training == mode


def raw_batch(unlabelled=2):
    """Images of 0 to 255 as a loader hands them on, one column per item."""
    items = []
    for i, instances in enumerate(LABELLED):
        items.append(dict(sup=(i, instances)))
    for i in range(unlabelled):
        empty = semi.objects(0, 0)
        items.append(dict(unsup_teacher=(i + 5, empty), unsup_student=(i + 5, empty)))
    branches = ('sup', 'unsup_teacher', 'unsup_student')
    data = dict(
        inputs={b: [] for b in branches}, data_samples={b: [] for b in branches}
    )
    for item in items:
        for branch in branches:
            image, sample = None, None
            if branch in item:
                seed, instances = item[branch]
                image = semi.images(1, seed)[0].mul(50).add(120).clamp(0, 255).byte()
                sample = semi.sample(instances)
            data['inputs'][branch].append(image)
            data['data_samples'][branch].append(sample)
    return data


@pytest.mark.parametrize(
    ('name', 'supervision'),
    [
        *(('SSD', 'LossMix'), ('YOLOv3', 'BoxMix'), ('FasterRCNN', 'LossMix')),
        *(('RetinaNet', None), ('RetinaNet', 'LossMix')),
    ],
)
def test_a_training_step(name, supervision):
    """Identity 28, second half; the teacher predicts for itself."""
    mixers = None
    if supervision is not None:
        cfg = semi.mixer(lam_per='batch')
        mixers = dict(sup=cfg, unsup=cfg, cross=cfg)
    model = semi.configure(name, supervision, mixers, cls_pseudo_thr=0.05)
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    losses = model(**model.data_preprocessor(raw_batch(), True), mode='loss')
    total, log = model.parse_losses(losses)
    total.backward()
    terms = {'sup', 'unsup'} | ({'cross'} if mixers else set())
    assert {key.split('_')[0] for key in log if 'loss_' in key} == terms
    assert log['pseudo_count'] > 0
    assert 0.05 < log['pseudo_score'] < 1
    summed = sum(value for key, value in log.items() if 'loss_' in key)
    torch.testing.assert_close(log['loss'], summed)
    assert torch.isfinite(log['loss'])
    assert all(parameter.grad is None for parameter in model.teacher.parameters())
    learning = [p.grad is not None for p in model.student.parameters()]
    assert sum(learning) > 0.9 * len(learning)
    optimizer.step()
    moved = [k for k, v in model.state_dict().items() if not torch.equal(v, before[k])]
    assert len(moved) > sum(learning)  # parameters, and statistics of their norms
    assert all(key.startswith('student.') for key in moved)
    model.load_state_dict(before)


def test_prediction_is_the_teachers_or_the_students():
    model = semi.configure()
    weights = copy.deepcopy(model.teacher.state_dict())
    torch.nn.init.normal_(model.teacher.bbox_head.cls_convs[0][0].bias)
    inputs, samples = semi.images(1, 0), [semi.sample()]
    model.eval()
    with torch.no_grad():
        found = {}
        for role in ('teacher', 'student'):
            model.semi_test_cfg['predict_on'] = role
            (found[role],) = model.predict(inputs, copy.deepcopy(samples))
            (alone,) = getattr(model, role).predict(inputs, copy.deepcopy(samples))
            scores = found[role].pred_instances.scores
            assert torch.equal(scores, alone.pred_instances.scores)
    model.semi_test_cfg['predict_on'] = 'teacher'
    model.teacher.load_state_dict(weights)
    first, second = (found[role].pred_instances.scores for role in found)
    assert isinstance(found['teacher'], DetDataSample)
    assert first.shape != second.shape or not torch.equal(first, second)


@pytest.mark.slow
@pytest.mark.parametrize('name', [n for n in zoo.NAMES if n != 'MaskRCNN'])
def test_every_detector_can_be_student_and_teacher(name):
    """Stock ones without cross images and LossMixDetector with them."""
    for supervision in (None, 'LossMix'):
        cfg = semi.mixer(lam_per='batch')
        mixers = dict(sup=cfg, unsup=cfg, cross=cfg) if supervision else None
        model = semi.configure(name, supervision, mixers, regress_pseudo=False)
        semi.script(model, SEEN, SEEN)
        losses = model.loss(*semi.batch(LABELLED, 2))
        total, log = model.parse_losses(losses)
        total.backward()
        assert torch.isfinite(total)
        assert log['pseudo_count'] == 2.0
        assert any(
            p.grad is not None and p.grad.any() for p in model.student.parameters()
        )
