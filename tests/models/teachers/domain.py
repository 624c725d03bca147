"""Small mixed-domain teachers, and batches of source and target."""

from __future__ import annotations

import functools
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmmix.models import MixedDomainTeacher
from mmmix.models.supervisions import build_supervision
from mmmix.models.teachers import TeacherProgress
from mmmix.models.teachers.domain_checks import MIXED_TERMS, build_domain_mixers
from mmmix.models.teachers.domain_train_settings import DomainTrainSettings
from tests.models.teachers import semi

WARM_UP = TeacherProgress(iteration=2, burn_in=3)
# where the discriminator looks, and how many channels are there
FEATURES = {
    'SSD': ('backbone.0', 48),
    'YOLOv3': ('backbone.0', 48),
    'FasterRCNN': ('neck.0', 64),
    'RetinaNet': ('neck.0', 32),
}
NOISE = dict(
    type='MixBatch', ratio=dict(type='Uniform', low=0.9, high=1.0), keep='dominant'
)
SOURCE = (semi.objects(2, 10), semi.objects(3, 11))
SEEN = (
    semi.scored(semi.objects(3, 20), (0.9, 0.5, 0.85)),
    semi.scored(semi.objects(2, 21), (0.95, 0.1)),
)
# what is left of it
PSEUDO = tuple(
    InstanceData(
        bboxes=seen.bboxes[seen.scores > 0.8], labels=seen.labels[seen.scores > 0.8]
    )
    for seen in SEEN
)


def mixers(**changes: Any) -> dict[str, Any]:
    """A mixer for each term, with one λ in a batch."""
    balanced = semi.mixer(lam_per='batch')
    return dict(mss=balanced, nst=NOISE, mtt=balanced, mst=balanced) | changes


def config(name: str = 'SSD', supervision: str | None = None, **settings: Any) -> dict:
    """Config of a ``MixedDomainTeacher`` around a small detector."""
    cfg = semi.config(semi.detector(name, supervision))
    feature, channels = FEATURES[name]
    disc = dict(type='DomainDiscriminator', in_channels=channels, feature=feature)
    disc['channels'] = (8,)
    return {**cfg, 'type': 'MixedDomainTeacher', 'discriminator': disc, **settings}


def build(*args: Any, **settings: Any) -> MixedDomainTeacher:
    """A freshly built model."""
    init_default_scope('mmdet')
    return MODELS.build(config(*args, **settings))


@functools.cache
def _shared(name: str, wrapped: bool) -> MixedDomainTeacher:
    torch.manual_seed(0)
    model = build(name, 'LossMix' if wrapped else None)
    model.teacher.load_state_dict(model.student.state_dict())
    model.discriminator.reset(0)
    return model


def mixer_of(term: str, cfg: dict) -> Any:
    """The mixer of a term on its own, with the same draws."""
    mixer = MODELS.build(cfg)
    mixer.counter.stream = MIXED_TERMS.index(term)
    return mixer


def configure(
    name: str = 'SSD',
    supervision: str | None = None,
    mixers: dict | None = None,
    progress: TeacherProgress | None = None,
    **train_cfg: Any,
) -> MixedDomainTeacher:
    """A model in training mode, as if it were built with these settings."""
    model = _shared(name, name not in semi.DETECTORS and supervision is not None)
    model.lambdas = DomainTrainSettings.build(train_cfg)
    model.settings = model.lambdas.pseudo
    model.mixers = build_domain_mixers(mixers)
    model.progress = progress
    model.teacher.__dict__.pop('predict', None)
    for head in semi.DETECTORS[name][1] if name in semi.DETECTORS else ():
        kind = dict(type=supervision or 'Union')
        getattr(model.student, head).supervision = build_supervision(kind)
    model.zero_grad()
    return model.train()


def losses_of(
    model: MixedDomainTeacher, weak_source: bool = False
) -> tuple[dict, dict]:
    """The losses of a batch, and its images."""
    semi.script(model, *SEEN)
    inputs, samples = semi.batch(SOURCE, len(SEEN))
    if weak_source:
        inputs['sup_weak'] = semi.images(len(SOURCE), 4)
        samples['sup_weak'] = samples['sup']
    return model.loss(inputs, samples), inputs


def feature(model, name, images):
    """What the discriminator sees of some images."""
    part, index = FEATURES[name][0].split('.')
    maps = model.student.backbone(images)
    if part == 'neck':
        maps = model.student.neck(maps)
    return maps[int(index)]
