"""Configs with a teacher: unlabelled images, of the same domain or of another."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mmmix.layouts.files_below import files_below
from mmmix.layouts.image_files import SUFFIXES

from .layout import Layout
from .plan import Plan
from .teacher_templates import (
    DOMAIN_LOADER,
    DOMAIN_SCHEDULE,
    SEMI_LOADER,
    SEMI_SCHEDULE,
)

BURN_IN, RAMP_UP = 0.25, 0.2
"""Shares of a training: before the teacher begins, until its terms count in full."""

_MEMORY, _SLOWEST, _FASTEST = 10, 0.0004, 0.01
"""The teacher is the mean of about a tenth of the training; bounds of its momentum, of
which the lower is that of long trainings (Unbiased Teacher, Adaptive Teacher)."""


class Teacher(NamedTuple):
    """How a config with unlabelled images differs from one without.

    Attributes:
        option: Of ``mmmix init``, that names the images.
        detectors: That have a model of it among the bases.
        prefix: Of these models.
        pipelines: The base with the views of images.
        terms: Of the mixers.
        ramp: Setting of the iterations in which the unlabelled terms grow.
        methods: That it takes.
        wrapper: Type of the optimizer wrapper.
        best: What the best checkpoint is judged by.
        configs: A word by which ``mmmix configs`` finds those of other detectors.
        loader: Template of the training data.
        schedule: Template of the schedule.
    """

    option: str
    detectors: tuple[str, ...]
    prefix: str
    pipelines: str
    terms: tuple[str, ...]
    ramp: str
    methods: tuple[str, ...]
    wrapper: str
    best: str
    configs: str
    loader: str
    schedule: str


SEMI = Teacher(
    option='--unlabelled',
    detectors=('ssd300', 'yolov3'),
    prefix='mean-teacher_',
    pipelines='semi_pipelines',
    terms=('sup', 'unsup', 'cross'),
    ramp='ramp_up',
    methods=('boxmix', 'lossmix', 'lossmix_alpha-0.2', 'union', 'weighted-union'),
    wrapper='OptimWrapper',
    best='teacher/pascal_voc/mAP',
    configs='semi/',
    loader=SEMI_LOADER,
    schedule=SEMI_SCHEDULE,
)
DOMAIN = Teacher(
    option='--target',
    detectors=('ssd300',),
    prefix='domain-teacher_',
    pipelines='domain_pipelines',
    terms=('mss', 'mtt', 'mst'),
    ramp='disc_ramp_up',
    methods=('lossmix', 'lossmix_alpha-0.2', 'union'),
    # Adversarial training diverges now and then: a step that is not finite is left out.
    wrapper='SkipNonFiniteOptimWrapper',
    best='current/pascal_voc/mAP',
    configs='domain_adaptation/',
    loader=DOMAIN_LOADER,
    schedule=DOMAIN_SCHEDULE,
)


class Unlabelled(NamedTuple):
    """A folder of images without labels, and what is made of it."""

    folder: Path
    images: tuple[Path, ...]
    teacher: Teacher


def find_unlabelled(folder: Path, teacher: Teacher, detector: str) -> Unlabelled:
    """Look into a folder of images without labels.

    Args:
        folder: The folder; labels in it are not read.
        teacher: What is made of it.
        detector: That is trained.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        ValueError: If the detector has no such teacher.
    """
    if detector not in teacher.detectors:
        raise ValueError(
            f'{teacher.option} goes with --detector {" or ".join(teacher.detectors)}, '
            f'got {detector}; `mmmix configs {teacher.configs}` lists configs of others'
        )
    images = [p for p in files_below(folder) if p.suffix.lower() in SUFFIXES]
    if not images:
        raise FileNotFoundError(f'{teacher.option} {folder}: there is no image in it')
    return Unlabelled(folder, tuple(images), teacher)


def note_labelled(unlabelled: Unlabelled, layout: Layout) -> None:
    """Note images without labels that have labels, or that are validated on.

    Args:
        unlabelled: The images.
        layout: Of the labelled ones, split; it takes up the notes.

    Raises:
        ValueError: If there are no others.
    """
    files = {path.resolve() for path in unlabelled.images}
    known = {
        name: files & {item.image.resolve() for item in split.items}
        for name, split in layout.splits.items()
    }
    again = set().union(*known.values())
    told = f'{unlabelled.teacher.option} {unlabelled.folder}'
    if again == files:
        raise ValueError(
            f'{told} has the labelled images and no other; give another folder'
        )
    layout.note(
        f'of the {len(files)} images of {told} are labelled ones',
        sorted(again),
        'a teacher learns nothing new from them',
    )
    layout.note(
        f'of the {len(files)} images of {told} are those of validation or test',
        sorted(again - known.get('train', set())),
        'its figures will be too good; give a folder without them',
    )


def model_lines(
    teacher: Teacher, classes: str, method: str | None, plan: Plan
) -> list[str]:
    """The settings of the model.

    Args:
        teacher: The kind.
        classes: The setting of the number of classes, of the detector.
        method: Of the mixers.
        plan: The schedule.
    """
    ramp = max(1, round(RAMP_UP * plan.epochs * plan.iterations))
    lines = [
        f'detector=dict(backbone=dict(init_cfg=None), {classes}),',
        f'semi_train_cfg=dict({teacher.ramp}={ramp}),',
    ]
    if method:
        terms = ', '.join(f'{term}=_base_.mix' for term in teacher.terms)
        lines.append(f'mixers=dict({terms}),')
    return lines


def schedule_fields(teacher: Teacher, plan: Plan) -> dict[str, object]:
    """What the templates want to know, in iterations."""
    total = plan.epochs * plan.iterations
    return dict(
        half=plan.batch,
        batch=2 * plan.batch,
        iterations=total,
        interval=max(1, plan.interval * plan.iterations),
        burn_in=max(1, round(BURN_IN * total)),
        momentum=round(min(max(_MEMORY / total, _SLOWEST), _FASTEST), 4),
        milestones=tuple(epoch * plan.iterations for epoch in plan.milestones),
        wrapper=teacher.wrapper,
        best=teacher.best,
    )
