"""Small students and teachers, and batches of three branches built by hand."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmmix import config_path
from mmmix.models import MixTeacher
from mmmix.models.supervisions import build_supervision
from mmmix.models.teachers.semi_checks import build_mixers
from mmmix.models.teachers.semi_train_settings import SemiTrainSettings
from tests.models.detectors import zoo

SIZE = 96
NUM_CLASSES = 10
THRESHOLD = 0.8

# detector -> (base config, where a supervision goes)
DETECTORS = {
    'SSD': ('ssd160-r18', ('bbox_head',)),
    'YOLOv3': ('yolov3-160-r18', ('bbox_head',)),
    'FasterRCNN': ('faster-rcnn160-r18', ('rpn_head', 'roi_head')),
}
# of mmdet alone, whose losses know nothing of mixing
STOCK = 'RetinaNet'

EYE = np.eye(3, dtype=np.float32)


def detector(name: str, supervision: str | None = None) -> ConfigDict:
    """Config of a small detector; a stock one is wrapped if it is supervised."""
    if name not in DETECTORS:
        cfg = zoo.config(name).model
        if supervision is None:
            return cfg
        wrapping = dict(detector=name, supervision=dict(type=supervision))
        return ConfigDict(copy.deepcopy(cfg), type='LossMixDetector', **wrapping)
    base, heads = DETECTORS[name]
    cfg = Config.fromfile(config_path(f'_base_/models/{base}.py')).model
    if supervision is not None:
        for head in heads:
            cfg[head]['supervision'] = dict(type=supervision)
    return cfg


def mixer(lam: float | None = None, **settings: Any) -> dict[str, Any]:
    """Config of a mixer with a fixed λ, or one that is drawn."""
    ratio = dict(type='Beta', alpha=1.0)
    if lam is not None:
        ratio = dict(type='Constant', value=lam)
    return dict(type='MixBatch', ratio=ratio, **settings)


def config(cfg: ConfigDict, **settings: Any) -> dict[str, Any]:
    """Config of a ``MixTeacher`` around a detector."""
    settings = {'data_preprocessor': cfg.get('data_preprocessor'), **settings}
    inner = settings.pop('data_preprocessor')
    multi = dict(type='MultiBranchDataPreprocessor', data_preprocessor=inner)
    return dict(type='MixTeacher', detector=cfg, data_preprocessor=multi, **settings)


@functools.cache
def shared(name: str, wrapped: bool = False) -> MixTeacher:
    """One model for many tests; each of them has to ``configure`` it."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(config(detector(name, 'LossMix' if wrapped else None)))
    for part in model.student.modules():
        # memory that nobody wrote to, until a detector's ``init_weights``
        embedding = getattr(part, 'level_embed', None)
        if isinstance(embedding, torch.nn.Parameter):
            torch.nn.init.normal_(embedding)
    model.teacher.load_state_dict(model.student.state_dict())
    return model


def configure(
    name: str = 'SSD',
    supervision: str | None = None,
    mixers: dict | None = None,
    **train_cfg: Any,
) -> MixTeacher:
    """A model in training mode, as if it were built with these settings."""
    model = shared(name, wrapped=name not in DETECTORS and supervision is not None)
    model.settings = SemiTrainSettings.build(dict(cls_pseudo_thr=THRESHOLD) | train_cfg)
    model.mixers = build_mixers(mixers)
    model.progress = None
    model.teacher.__dict__.pop('predict', None)
    for head in DETECTORS[name][1] if name in DETECTORS else ():
        kind = dict(type=supervision or 'Union')
        getattr(model.student, head).supervision = build_supervision(kind)
    model.zero_grad()
    return model.train()


def images(count: int, seed: int, size: tuple[int, int] = (SIZE, SIZE)) -> torch.Tensor:
    """Normalised random images."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, *size, generator=generator)


def objects(
    count: int, seed: int, size: tuple[int, int] = (SIZE, SIZE)
) -> InstanceData:
    """Random boxes with labels."""
    rng = np.random.default_rng(seed)
    extent = rng.uniform(0.25, 0.6, (count, 2)) * size[::-1]
    corner = rng.uniform(0, 1, (count, 2)) * (size[::-1] - extent)
    boxes = np.hstack([corner, corner + extent]).astype(np.float32)
    return InstanceData(
        bboxes=torch.from_numpy(boxes),
        labels=torch.from_numpy(rng.integers(zoo.NUM_CLASSES, size=count)),
    )


def sample(
    instances: InstanceData | None = None,
    homography: np.ndarray | None = EYE,
    size: tuple[int, int] = (SIZE, SIZE),
    name: str = '0',
) -> DetDataSample:
    """One view of an image, as the preprocessor hands it on."""
    shapes = ('img_shape', 'pad_shape', 'batch_input_shape', 'ori_shape')
    metainfo = dict(
        dict.fromkeys(shapes, size), scale_factor=(1.0, 1.0), img_path=f'{name}.jpg'
    )
    if homography is not None:
        metainfo['homography_matrix'] = homography
    result = DetDataSample(metainfo=metainfo)
    instances = objects(0, 0) if instances is None else instances
    result.gt_instances = instances
    result.ignored_instances = instances[:0]
    return result


def batch(
    labelled: Sequence[InstanceData],
    unlabelled: int,
    size: tuple[int, int] = (SIZE, SIZE),
) -> tuple[dict[str, torch.Tensor], dict[str, list[DetDataSample]]]:
    """Inputs and samples of the three branches; both views have one geometry."""
    inputs = dict(
        sup=images(len(labelled), 1),
        unsup_teacher=images(unlabelled, 2, size),
        unsup_student=images(unlabelled, 3, size),
    )
    samples = dict(sup=[sample(one, name=f'l{i}') for i, one in enumerate(labelled)])
    for view in ('unsup_teacher', 'unsup_student'):
        samples[view] = [sample(size=size, name=f'u{i}') for i in range(unlabelled)]
    return inputs, samples


def scored(instances: InstanceData, scores: Sequence[float]) -> InstanceData:
    """Instances as a teacher predicts them."""
    instances = instances.new()
    instances.scores = torch.tensor(scores, dtype=torch.float32)
    return instances


def script(model: MixTeacher, *predictions: InstanceData) -> list[int]:
    """Let the teacher see these instances, image by image, and nothing else.

    Returns:
        A list that grows by the number of images of each call.
    """
    calls: list[int] = []

    def predict(inputs, samples, rescale=True):
        assert not rescale
        assert not torch.is_grad_enabled()
        assert len(inputs) == len(samples)
        found = predictions[sum(calls) : sum(calls) + len(samples)]
        calls.append(len(samples))
        for one, instances in zip(samples, found):
            one.pred_instances = instances
        return samples

    model.teacher.predict = predict
    return calls


def flat(losses: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Each named entry as one vector, whether mmdet gives a list or not."""
    return {
        name: torch.cat([part.reshape(-1) for part in value])
        if isinstance(value, list)
        else value.reshape(-1)
        for name, value in losses.items()
    }


def named(losses: dict[str, Any], term: str) -> dict[str, torch.Tensor]:
    """The losses of a term under the student's names."""
    prefix = f'{term}_'
    return flat(
        {
            name.removeprefix(prefix): value
            for name, value in losses.items()
            if name.startswith(prefix)
        }
    )


def assert_same(
    one: dict[str, Any], other: dict[str, Any], factor: float = 1.0
) -> None:
    """The same names, and the losses of one are those of the other, times a factor."""
    one, other = flat(one), flat(other)
    assert one.keys() == other.keys()
    for name, value in one.items():
        expected = other[name] * (factor if 'loss' in name else 1.0)
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-7)
