"""What a teacher predicts, in batches of its own size, becomes labels."""

from __future__ import annotations

import torch

from mmmix.models.teachers.pseudo_labels import predict_labels, sorted_out
from mmmix.models.teachers.semi_train_settings import SemiTrainSettings
from tests.models.teachers import semi
from tests.models.teachers.test_pseudo_labels import boxes


def test_mini_batches_predict_the_same():
    model = semi.configure()
    inputs = semi.images(3, 0)
    samples = [semi.sample(semi.objects(2, i)) for i in range(3)]
    whole = predict_labels(model.teacher, inputs, samples)
    sizes = []
    stock = model.teacher.predict

    def predict(inputs, samples, rescale):
        sizes.append(len(inputs))
        return stock(inputs, samples, rescale=rescale)

    model.teacher.predict = predict
    for batch_size, expected in ((2, [2, 1]), (8, [3])):
        sizes.clear()
        parts = predict_labels(model.teacher, inputs, samples, batch_size)
        assert sizes == expected
        for one, other in zip(parts, whole):
            assert len(one) == len(other) > 0
            torch.testing.assert_close(one.bboxes, other.bboxes, rtol=1e-4, atol=1e-3)
            torch.testing.assert_close(one.scores, other.scores, rtol=1e-4, atol=1e-5)
    assert all('pred_instances' not in sample for sample in samples)


def test_labels_are_whole_numbers_whatever_the_teacher_gives():
    """An RPN of mmdet gives floats where it finds nothing; joined, all became such."""
    model = semi.configure()
    nothing, found = boxes(), boxes((1, 2, 30, 40))
    nothing.labels = nothing.labels.float()
    semi.script(model, nothing, found)
    samples = [semi.sample(), semi.sample()]
    predicted = predict_labels(model.teacher, semi.images(2, 0), samples)
    kept = sorted_out(samples, predicted, SemiTrainSettings(cls_pseudo_thr=0.5))
    labels = [sample.gt_instances.labels for sample in kept]
    assert [(x.dtype, len(x)) for x in labels] == [(torch.int64, 0), (torch.int64, 1)]
