"""Views whose geometry a teacher's boxes can follow, and those that are refused."""

from __future__ import annotations

import logging
import random
from types import SimpleNamespace

import mmcv.transforms
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmdet.datasets.transforms import Albu, Expand, MultiBranch
from mmdet.registry import TRANSFORMS
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmmix.datasets import SeededDataset
from mmmix.datasets.view_geometry import check_view_geometry
from mmmix.models.teachers.pseudo_labels import annotated, projected

META = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'homography_matrix')
PACK = dict(type='PackDetInputs', meta_keys=META)
RESIZE = dict(type='Resize', scale=(160, 160), keep_ratio=False)
SIDE, OBJECT = 160, (50, 60, 110, 100)

RECORD = [
    dict(type='RandomFlip', prob=1.0, direction=['horizontal', 'vertical']),
    dict(
        type='RandomCrop',
        crop_size=(0.6, 0.6),
        crop_type='relative_range',
        allow_negative_crop=True,
    ),
    dict(type='RandomResize', scale=(200, 200), ratio_range=(0.5, 1.5)),
    dict(type='Rotate'),
    dict(type='ShearX'),
    dict(type='ShearY'),
    dict(type='TranslateX'),
    dict(type='TranslateY'),
    dict(type='Pad', size=(200, 240)),
    dict(type='RandomErasing', n_patches=1, ratio=0.05),
    dict(type='RecordedExpand', ratio_range=(1, 3), prob=1.0),
    dict(type='RecordedMinIoURandomCrop', min_ious=(), min_crop_size=0.6),
]
DO_NOT = [
    dict(type='Expand', ratio_range=(2, 2), prob=1.0),
    dict(type='MinIoURandomCrop', min_ious=(), min_crop_size=0.6),
    dict(type='RandomAffine'),
]


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmdet')


def steps(*cfgs):
    """A pipeline of these transforms alone."""
    return Compose(list(cfgs))


def photo(*transforms):
    """A packed photo with one bright object, whose box is not told."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    x1, y1, x2, y2 = OBJECT
    image[y1:y2, x1:x2] = 255
    results = dict(img=image, img_path='a.jpg', img_id=0, instances=[])
    results |= dict(img_shape=(SIDE, SIDE), ori_shape=(SIDE, SIDE))
    empty = TRANSFORMS.build(dict(type='LoadEmptyAnnotations'))
    return steps(*transforms, PACK)(empty(results))


def worst_overlap(cfg):
    """IoU of the object and of the box that is carried over to it, over 20 draws."""
    found = []
    for seed in range(20):
        random.seed(seed)
        np.random.seed(seed)
        weak, strong = photo(RESIZE), photo(cfg, RESIZE)
        rows, columns = np.nonzero(strong['inputs'][0].numpy() > 190)
        if len(rows) < 400:
            continue
        seen = torch.tensor(
            [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        ).float()
        box = InstanceData(bboxes=torch.tensor([OBJECT]).float(), labels=torch.zeros(1))
        views = (annotated(weak['data_samples'], box), strong['data_samples'])
        boxes = projected(*([view] for view in views), (1, 1))[0].gt_instances.bboxes
        box = boxes[0] if len(boxes) else torch.zeros(4)
        common = (
            (torch.minimum(box[2:], seen[2:]) - torch.maximum(box[:2], seen[:2]))
            .clamp(min=0)
            .prod()
        )
        areas = (box[2:] - box[:2]).prod() + (seen[2:] - seen[:2]).prod()
        found.append((common / (areas - common)).item())
    assert len(found) > 5
    return min(found)


def branches(**views):
    """The data set of unlabelled images with these views."""
    last = dict(type='MultiBranch', branch_field=list(views), **views)
    return SimpleNamespace(pipeline=steps(last))


@pytest.mark.parametrize('cfg', RECORD, ids=lambda cfg: cfg['type'])
def test_boxes_follow_what_is_recorded(cfg):
    assert worst_overlap(cfg) > 0.9
    check_view_geometry(branches(unsup_teacher=[RESIZE, cfg], unsup_student=[cfg]))


@pytest.mark.parametrize('cfg', DO_NOT, ids=lambda cfg: cfg['type'])
def test_what_is_not_recorded_loses_boxes_and_is_refused(cfg):
    assert worst_overlap(cfg) < 0.7
    for name in ('unsup_teacher', 'unsup_student'):
        views = dict(unsup_teacher=[RESIZE], unsup_student=[RESIZE])
        views[name] = [RESIZE, cfg, PACK]
        with pytest.raises(ValueError, match=f'^{name}: {cfg["type"]} moves.*Use '):
            check_view_geometry(branches(**views))


@pytest.mark.parametrize(
    ('cfg', 'instead'),
    [
        (dict(type='RandomShift'), 'TranslateX'),
        (
            dict(
                type='RandomCenterCropPad',
                crop_size=(96, 96),
                ratios=(1.0,),
                mean=[0, 0, 0],
                std=[1, 1, 1],
                to_rgb=False,
                test_pad_mode=None,
            ),
            'RecordedExpand and RandomCrop',
        ),
        (dict(type='Mosaic'), 'mixers'),
        (dict(type='CachedMosaic'), 'mixers'),
        (dict(type='MixUp'), 'mixers'),
        (dict(type='CachedMixUp'), 'mixers'),
        (mmcv.transforms.CenterCrop(crop_size=(64, 64)), 'RandomCrop'),
        (mmcv.transforms.RandomFlip(prob=0.5), "mmdet's RandomFlip"),
        (mmcv.transforms.Resize(scale=(64, 64)), "mmdet's Resize"),
    ],
)
def test_others_that_do_not_record(cfg, instead):
    with pytest.raises(ValueError, match=instead):
        check_view_geometry(branches(unsup_student=[cfg]))


NESTS = {
    'RandomApply': lambda cfg: dict(type='RandomApply', transforms=[cfg], prob=0.1),
    'RandomChoice': lambda cfg: dict(
        type='RandomChoice', transforms=[[RESIZE], [RESIZE, cfg]]
    ),
    'RandomOrder': lambda cfg: dict(type='RandomOrder', transforms=[RESIZE, cfg]),
    'RandAugment': lambda cfg: dict(type='RandAugment', aug_space=[[cfg]], aug_num=1),
    'AutoAugment': lambda cfg: dict(type='AutoAugment', policies=[[RESIZE, cfg]]),
    'KeyMapper': lambda cfg: dict(type='KeyMapper', transforms=[cfg]),
    'Compose': lambda cfg: dict(type='Compose', transforms=[cfg]),
}


@pytest.mark.parametrize('nest', NESTS)
def test_nested_ones_are_found(nest):
    wrapped = NESTS[nest](NESTS['RandomApply'](DO_NOT[0]))
    with pytest.raises(ValueError, match='unsup_student: Expand moves'):
        check_view_geometry(branches(unsup_student=[wrapped]))
    check_view_geometry(branches(unsup_student=[NESTS[nest](RECORD[0])]))


def test_every_data_set_within_is_looked_at():
    bad, good = branches(unsup_student=[DO_NOT[0]]), branches(unsup_student=[RESIZE])
    check_view_geometry(SimpleNamespace(datasets=[good, good]))
    whole = SeededDataset(SimpleNamespace(datasets=[good, bad]), lazy_init=True)
    with pytest.raises(ValueError, match='Expand'):
        check_view_geometry(whole)


def test_what_both_views_share_and_what_is_labelled_may_move():
    views = dict(type='MultiBranch', branch_field=['sup'], unsup_student=[RESIZE])
    check_view_geometry(SimpleNamespace(pipeline=steps(*DO_NOT, views)))
    check_view_geometry(branches(sup=[RESIZE, *DO_NOT], sup_weak=DO_NOT))
    check_view_geometry(SimpleNamespace())


def test_parts_of_albumentations(monkeypatch):
    class ImageOnlyTransform:
        pass

    class DualTransform:
        pass

    class Blur(ImageOnlyTransform):
        pass

    class ShiftScaleRotate(DualTransform):
        pass

    albu = Albu.__new__(Albu)
    albu.aug = SimpleNamespace(transforms=[Blur(), SimpleNamespace(transforms=[])])
    check_view_geometry(branches(unsup_student=[albu]))
    albu.aug.transforms[1].transforms.append(ShiftScaleRotate())
    with pytest.raises(ValueError, match=r'Albu \(ShiftScaleRotate\) moves'):
        check_view_geometry(branches(unsup_student=[albu]))


class Own(BaseTransform):
    """A user's own transform."""

    def transform(self, results):
        return results


class OwnExpand(Expand):
    """A user's, which leaves the transform to mmdet."""


class Recording(Expand):
    """A user's, which has a way of its own."""

    def transform(self, results):
        return results


def test_those_of_users(monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmix.datasets.view_geometry.print_log', lambda text, **kw: said.append(text)
    )
    with pytest.raises(ValueError, match='OwnExpand moves'):
        check_view_geometry(branches(unsup_student=[OwnExpand()]))
    check_view_geometry(branches(unsup_student=[Own(), Recording(), RESIZE]))
    assert len(said) == 1
    assert said[0].startswith('Own, Recording in the views')
    check_view_geometry(branches(unsup_student=[RESIZE]))
    assert len(said) == 1


def test_a_function_is_said_too(monkeypatch, caplog):
    said = []
    monkeypatch.setattr(
        'mmmix.datasets.view_geometry.print_log',
        lambda text, logger, level: said.append((text, level)),
    )
    check_view_geometry(branches(unsup_student=[lambda results: results]))
    assert said[0][1] == logging.WARNING


def test_elastic_transform_cannot_be_recorded():
    pytest.importorskip('imagecorruptions')
    for name in ('elastic_transform', 'fog'):
        dataset = branches(unsup_student=[dict(type='CommonCorruption', name=name)])
        if name == 'fog':
            check_view_geometry(dataset)
            continue
        with pytest.raises(ValueError, match='CommonCorruption moves.*another'):
            check_view_geometry(dataset)


def test_multi_branch_has_the_pipelines_that_are_read_here():
    branch = MultiBranch(['unsup_student'], unsup_student=[RESIZE])
    (resize,) = branch.branch_pipelines['unsup_student'].transforms
    assert type(resize).__name__ == 'Resize'
