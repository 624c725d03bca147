"""Which predictions become labels, and where they lie in the student's view."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import RandomCrop, RandomFlip, Resize
from mmdet.structures.bbox import HorizontalBoxes, bbox_project
from mmengine.structures import InstanceData

from mmmix.models.teachers.pseudo_labels import (
    annotated,
    label_statistics,
    mixable,
    projected,
    sorted_out,
)
from mmmix.models.teachers.semi_train_settings import SemiTrainSettings
from mmmix.structures import REGRESSION_WEIGHTS
from mmmix.studies.speed.operation_counter import OperationCounter
from tests.models.teachers import semi

NONE = (0.0, 0.0)


def boxes(*rows):
    instances = InstanceData(
        bboxes=torch.tensor(rows, dtype=torch.float32).reshape(-1, 4),
        labels=torch.arange(len(rows)),
    )
    return semi.scored(instances, [0.9] * len(rows))


def project(instances, source, target, min_size):
    """Of one image."""
    (moved,) = projected([annotated(source, instances)], [target], min_size)
    return moved.gt_instances


def sort(instances, high, low=None):
    """Of one image."""
    settings = SemiTrainSettings(cls_pseudo_thr=high, ignore_pseudo_thr=low)
    (sample,) = sorted_out([semi.sample()], [instances], settings)
    return sample


def confident(instances, threshold):
    return sort(instances, threshold).gt_instances


def test_the_score_must_be_above_the_threshold():
    scores = torch.tensor([0.8, 0.8000001, 0.79, 0.95])
    instances = semi.scored(semi.objects(4, 0), scores.tolist())
    assert confident(instances, 0.8).scores.tolist() == scores[[1, 3]].tolist()
    assert confident(instances, float(scores[3])).scores.tolist() == []
    # 0.5 is exact in binary, so this is equality and not a rounding
    half = semi.scored(semi.objects(2, 0), [0.5, 0.5 + 2**-20])
    kept = confident(half, 0.5)
    assert kept.bboxes.tolist() == half.bboxes[1:].tolist()


def test_doubtful_are_those_between_the_thresholds():
    instances = semi.scored(semi.objects(5, 0), [0.125, 0.25, 0.5, 0.75, 1.0])
    sample = sort(instances, 0.75, 0.125)
    assert sample.ignored_instances.scores.tolist() == [0.25, 0.5, 0.75]
    # together with the confident ones and the rest they are all
    assert sample.gt_instances.scores.tolist() == [1.0]
    assert 'ignored_instances' not in sort(instances, 0.75)


def test_all_images_are_those_of_one_after_the_other():
    """With other scores, geometry and numbers of boxes, and reads as of one."""
    rng = np.random.default_rng(0)
    settings = SemiTrainSettings(cls_pseudo_thr=0.6, ignore_pseudo_thr=0.3)
    found, weak, strong = [], [], []
    for i, count in enumerate((3, 0, 7, 5)):
        found.append(semi.scored(semi.objects(count, i), rng.uniform(size=count)))
        for views in (weak, strong):
            matrix = np.eye(3) + rng.normal(0, [[0.1, 0.1, 9]] * 2 + [[1e-4, 1e-4, 0]])
            size = tuple(int(side) for side in rng.integers(40, 90, 2))
            views.append(semi.sample(homography=matrix, size=size))
    with OperationCounter() as counter:
        sure = sorted_out(weak, found, settings)
        moved = projected(sure, strong, (2.0, 2.0))
    assert sum(counter.reads.values()) == 3
    kept = 0
    for i, instances in enumerate(found):
        (one,) = sorted_out(weak[i : i + 1], [instances], settings)
        scores = instances.scores
        assert torch.equal(one.gt_instances.scores, scores[scores > 0.6])
        assert torch.equal(one.gt_instances.scores, sure[i].gt_instances.scores)
        (one,) = projected([one], strong[i : i + 1], (2.0, 2.0))
        for name in ('gt_instances', 'ignored_instances'):
            got, want = moved[i].get(name), one.get(name)
            torch.testing.assert_close(got.bboxes, want.bboxes)
            assert torch.equal(got.labels, want.labels)
            kept += len(got)
    assert kept > 5


def test_it_is_mmdets_projection():
    rng = np.random.default_rng(1)
    matrix = np.eye(3) + rng.normal(0, [[0.2, 0.2, 20]] * 2 + [[1e-4, 1e-4, 0]])
    instances = semi.scored(semi.objects(9, 3), [0.9] * 9)
    views = semi.sample(), semi.sample(homography=matrix, size=(48, 70))
    want = bbox_project(instances.bboxes, torch.tensor(matrix).float(), (48, 70))
    got = project(instances, *views, (-1.0, -1.0)).bboxes
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-4)


# --- projection -------------------------------------------------------------


@pytest.mark.parametrize('kind', [torch.bfloat16, torch.float16])
def test_mixed_precision_moves_boxes_in_full(kind):
    """The thin one is there, and no side is rounded."""
    weak = semi.sample(homography=np.diag([2.0, 2.0, 1.0]), size=(800, 1333))
    strong = semi.sample(homography=np.diag([2.2, 2.2, 1.0]), size=(800, 1333))
    predicted = boxes((1001.3, 601.7, 1100.9, 650.2), (1095.0, 272.0, 1098.6, 309.0))
    plain = project(predicted, weak, strong, (1e-2, 1e-2)).bboxes
    with torch.autocast('cpu', dtype=kind):
        mixed = project(predicted, weak, strong, (1e-2, 1e-2)).bboxes
    assert torch.equal(mixed, plain)
    torch.testing.assert_close(plain, predicted.bboxes * 1.1)


@pytest.mark.parametrize('seed', range(3))
def test_the_same_geometry_moves_nothing(seed):
    """Whatever the geometry is: scale, flip, rotation and perspective."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(3) + rng.normal(0, [[0.3, 0.3, 50]] * 2 + [[1e-4, 1e-4, 0]])
    view = semi.sample(homography=matrix.astype(np.float32))
    instances = semi.scored(semi.objects(6, seed), [0.9] * 6)
    moved = project(instances, view, view, NONE)
    torch.testing.assert_close(moved.bboxes, instances.bboxes, rtol=0, atol=1e-3)
    assert moved.labels.tolist() == instances.labels.tolist()
    assert moved.scores.tolist() == instances.scores.tolist()


def test_a_box_goes_from_one_view_to_the_other():
    """Weak: twice as large. Strong: mirrored in a width of 50, then moved by 3."""
    weak = semi.sample(homography=np.diag([2.0, 2.0, 1.0]), size=(80, 100))
    mirror = np.array([[-1.0, 0.0, 50.0 + 3.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    strong = semi.sample(homography=mirror, size=(40, 53))
    moved = project(boxes((20, 10, 60, 50)), weak, strong, NONE)
    # in the image 10, 5, 30, 25; mirrored 20, 5, 40, 25
    assert moved.bboxes.tolist() == [[23.0, 5.0, 43.0, 25.0]]


def test_the_views_of_real_transforms_agree():
    """A box put through each pipeline is where the projection brings it."""
    np.random.seed(3)
    image = dict(
        img=np.zeros((120, 160, 3), np.uint8),
        img_shape=(120, 160),
        ori_shape=(120, 160),
    )
    views = []
    for steps in (
        [Resize(scale=(200, 90), keep_ratio=False), RandomFlip(prob=1.0)],
        [
            RandomCrop((0.9, 0.9), crop_type='relative'),
            Resize(scale=(96, 64), keep_ratio=False),
            RandomFlip(prob=1.0, direction='vertical'),
        ],
    ):
        results = dict(
            image, gt_bboxes=HorizontalBoxes(torch.tensor([[60.0, 40.0, 100.0, 90.0]]))
        )
        for step in steps:
            results = step(results)
        view = semi.sample(
            homography=results['homography_matrix'], size=results['img_shape']
        )
        views.append((view, results['gt_bboxes'].tensor))
    (weak, seen), (strong, expected) = views
    moved = project(boxes(*seen.tolist()), weak, strong, NONE)
    torch.testing.assert_close(moved.bboxes, expected, rtol=0, atol=1e-3)


def test_boxes_are_clipped_to_the_view_and_small_ones_dropped():
    """But for those to ignore, of which a sliver would become background."""
    weak = semi.sample(size=(200, 200))
    shift = np.array([[1.0, 0.0, -50.0], [0.0, 1.0, -20.0], [0.0, 0.0, 1.0]])
    strong = semi.sample(homography=shift, size=(60, 90))
    predicted = boxes(
        (10, 10, 60, 50),  # leaves 10 x 30 at the upper left corner
        (10, 10, 49, 50),  # leaves nothing
        (100, 70, 190, 190),  # clipped below and on the right
        (60, 30, 64, 60),  # 4 wide
        (60, 30, 90, 34),  # 4 high
    )
    moved = project(predicted, weak, strong, (4.0, 3.5))
    assert moved.bboxes.tolist() == [
        [0.0, 0.0, 10.0, 30.0],
        [50.0, 50.0, 90.0, 60.0],
        [10.0, 10.0, 40.0, 14.0],
    ]
    assert moved.labels.tolist() == [0, 2, 4]
    (both,) = projected([annotated(weak, predicted, predicted)], [strong], (4.0, 3.5))
    assert both.gt_instances.labels.tolist() == [0, 2, 4]
    ignored = both.ignored_instances
    assert ignored.labels.tolist() == [0, 2, 3, 4]
    assert ignored.bboxes[2].tolist() == [10.0, 10.0, 14.0, 40.0]


def test_no_box_is_projected_to_no_box():
    moved = project(boxes(), semi.sample(), semi.sample(), (1.0, 1.0))
    assert moved.bboxes.shape == (0, 4)


@pytest.mark.parametrize('missing', [0, 1])
def test_a_view_without_its_matrix(missing):
    views = [semi.sample(), semi.sample()]
    views[missing] = semi.sample(homography=None, name='bus')
    with pytest.raises(ValueError, match="bus.jpg has no 'homography_matrix'.*meta_k"):
        project(boxes((1, 1, 9, 9)), *views, NONE)


# --- samples and statistics -------------------------------------------------


def test_annotations_of_an_unlabelled_image_are_not_used():
    original = semi.sample(semi.objects(3, 0))
    original.ignored_instances = semi.objects(2, 1)
    original.proposals = semi.objects(1, 2)
    result = mixable(annotated(original, boxes((1, 2, 8, 9))), 0.0)
    assert set(result.keys()) == {'gt_instances', 'ignored_instances'}
    assert result.gt_instances.bboxes.tolist() == [[1.0, 2.0, 8.0, 9.0]]
    assert set(result.gt_instances.keys()) == {'bboxes', 'labels', REGRESSION_WEIGHTS}
    assert result.gt_instances[REGRESSION_WEIGHTS].tolist() == [0.0]
    assert len(result.ignored_instances) == 0
    assert result.metainfo['img_path'] == '0.jpg'
    assert len(original.gt_instances) == 3
    assert len(original.ignored_instances) == 2


def test_a_labelled_image_keeps_what_is_to_be_ignored():
    original = semi.sample(semi.objects(3, 0))
    original.gt_instances.areas = torch.ones(3)
    original.ignored_instances = semi.objects(2, 1)
    result = mixable(original, None)
    assert set(result.gt_instances.keys()) == {'bboxes', 'labels'}
    expected = original.ignored_instances.bboxes
    assert result.ignored_instances.bboxes.tolist() == expected.tolist()


@pytest.mark.parametrize('count', [0, 2])
def test_boxes_to_ignore_may_lack_what_objects_have(count):
    """Of none of them PackDetInputs may write nothing; others may have no labels."""
    original = semi.sample(semi.objects(3, 0))
    kept = semi.objects(2, 1).bboxes
    original.ignored_instances = InstanceData(**({'bboxes': kept} if count else {}))
    ignored = mixable(original, None).ignored_instances
    assert ignored.bboxes.tolist() == kept[:count].tolist()


def test_statistics():
    labels = [semi.scored(semi.objects(2, 0), [0.9, 0.8]), boxes(), boxes((1, 1, 2, 2))]
    found = label_statistics(labels, torch.zeros(1))
    assert found['pseudo_count'].item() == 1.0
    torch.testing.assert_close(found['pseudo_score'], torch.tensor(2.6 / 3))
    none = label_statistics([boxes(), boxes()], torch.zeros(1))
    assert (none['pseudo_count'].item(), none['pseudo_score'].item()) == (0.0, 0.0)
