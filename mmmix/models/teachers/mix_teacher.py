"""Semi-supervised training of any detector, with mixing."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.models.detectors import SemiBaseDetector
from mmdet.models.utils import rename_loss_dict, reweight_loss_dict
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from torch import Tensor, nn

from mmmix.mixing.untraced import untraced
from mmmix.models.supervisions import Losses

from .branches import Batch, Watcher, branch, mixed_pair
from .pseudo_labels import (
    label_statistics,
    mixable,
    predict_labels,
    projected,
    sorted_out,
)
from .pseudo_regression import weighs_regression, without_regression
from .semi_checks import build_mixers, check_cross, check_teacher, keeps_first
from .semi_train_settings import SemiTrainSettings, build_test_cfg
from .teacher_progress import TeacherProgress
from .term_factors import term_factors

_VIEWS = ('unsup_teacher', 'unsup_student')


@MODELS.register_module()
class MixTeacher(SemiBaseDetector):
    """A student that learns from labels and from its own average, a teacher.

    The teacher, which ``MixTeacherHook`` averages, labels weakly augmented
    unlabelled images; the student learns from strongly augmented views of them.
    Its loss has up to three terms, each on a batch of its own:

    - ``sup``: labelled images;
    - ``unsup``: unlabelled images with the teacher's labels;
    - ``cross``: labelled images, mixed with unlabelled ones.

    A mixer of ``mixers`` mixes the batch of its term after pseudo-labels were
    filtered and projected, and the supervision of the detector's heads, or of
    ``LossMixDetector``, turns it into a loss. Without a mixer, or while it is
    switched off, ``sup`` and ``unsup`` are trained unmixed and ``cross`` is not.
    Component 0 of a cross image is the labelled one; if one of the two batches is
    longer, the shorter one is gone through again.

    During burn-in, of which ``MixTeacherHook`` tells, there is only ``sup``, and the
    batch needs no unlabelled images.

    Losses are logged with their term in front, ``unsup_loss_cls`` say; beside them
    the mean number of pseudo-labels per image and their mean score.

    Args:
        detector: Config of any detector of mmdet with boxes, without
            ``batch_augments``.
        semi_train_cfg: See :class:`SemiTrainSettings`.
        semi_test_cfg: As ``SemiBaseDetector``; the teacher predicts by default.
        mixers: Config of a mixer for any of ``sup``, ``unsup`` and ``cross``.
        data_preprocessor: A ``MultiBranchDataPreprocessor``, likewise without
            ``batch_augments``. Branches of the batch are ``sup``,
            ``unsup_teacher`` and ``unsup_student``.
        init_cfg: As ``SemiBaseDetector``.

    Raises:
        ValueError: If a setting is unknown or out of range, the detector has
            masks, a preprocessor has ``batch_augments``, or cross images shall
            teach no regression of pseudo-boxes and the detector cannot do that.
        TypeError: If a setting has the wrong type.
    """

    def __init__(
        self,
        detector: dict,
        semi_train_cfg: dict | None = None,
        semi_test_cfg: dict | None = None,
        mixers: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: Any = None,
    ) -> None:
        settings = SemiTrainSettings.build(semi_train_cfg)
        # Not SemiBaseDetector's constructor: it builds both from one config, to which
        # heads like DETR's write.
        super(SemiBaseDetector, self).__init__(data_preprocessor, init_cfg)
        self.student = MODELS.build(copy.deepcopy(detector))
        self.teacher = MODELS.build(copy.deepcopy(detector))
        if settings.freeze_teacher:
            self.freeze(self.teacher)
        self.semi_train_cfg = ConfigDict(settings._asdict())
        self.semi_test_cfg = build_test_cfg(semi_test_cfg)
        self.settings = settings
        self.mixers = build_mixers(mixers)
        self.progress: TeacherProgress | None = None
        self._watcher: Watcher | None = None
        self._weighs_regression = weighs_regression(self.student)
        check_teacher(self.student, self.data_preprocessor, settings)
        check_cross(self.student, self.mixers, 'cross', settings)

    def train(self, mode: bool = True) -> MixTeacher:
        """Set the mode of the student; the teacher stays in eval mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    def set_progress(self, progress: TeacherProgress) -> None:
        """Learn how far the training is; ``MixTeacherHook`` calls this."""
        self.progress = progress

    def watch(self, watcher: Watcher | None) -> None:
        """Show someone what is trained on; ``TeacherPreviewHook`` calls this.

        Args:
            watcher: Called with a name and a batch: ``weak`` and ``strong``, both
                views with their pseudo-labels, and each term with what the student
                learns from. None for nobody.
        """
        self._watcher = watcher

    def loss(
        self,
        multi_batch_inputs: dict[str, Tensor],
        multi_batch_data_samples: dict[str, Sequence[DetDataSample]],
    ) -> Losses:
        """Losses of all terms, weighted.

        Args:
            multi_batch_inputs: By branch, ``(N, C, H, W)``.
            multi_batch_data_samples: By branch, N samples.

        Returns:
            Losses under the student's names with the term in front, and
            ``pseudo_count`` and ``pseudo_score``.

        Raises:
            KeyError: If a branch is missing.
            TypeError, ValueError: If the two views of the unlabelled images do not
                belong together, there is a ramp-up and no hook to measure it, or
                the mixing does not fit the samples or the detector.
        """
        batch = (multi_batch_inputs, multi_batch_data_samples)
        labelled = branch(batch, 'sup')
        losses = self.loss_by_gt_instances(*labelled)
        if self._burns_in():
            return losses
        weak, strong = (branch(batch, name) for name in _VIEWS)
        pseudo, info, statistics = self._pseudo_labelled(weak, strong)
        losses |= self.loss_by_pseudo_instances(*pseudo, info)
        losses |= self.loss_by_pairs(labelled, pseudo, info)
        return losses | statistics

    def loss_by_gt_instances(
        self, batch_inputs: Tensor, batch_data_samples: Sequence[DetDataSample]
    ) -> Losses:
        """The losses on labelled images, mixed if ``sup`` has a mixer."""
        return self._term('sup', self._mixed('sup', batch_inputs, batch_data_samples))

    def loss_by_pseudo_instances(
        self,
        batch_inputs: Tensor,
        batch_data_samples: Sequence[DetDataSample],
        batch_info: Mapping[str, float] | None = None,
    ) -> Losses:
        """The losses on unlabelled images, mixed if ``unsup`` has a mixer.

        Args:
            batch_inputs: ``(N, C, H, W)``, the student's view.
            batch_data_samples: N samples with pseudo-labels.
            batch_info: ``factor``: a factor beside ``unsup_weight``; 1 if None.
        """
        factor = 1.0 if batch_info is None else batch_info['factor']
        batch = self._mixed('unsup', batch_inputs, batch_data_samples)
        losses = self._term('unsup', batch, factor)
        if self.settings.regress_pseudo or self._weighs_regression:
            return losses
        return without_regression(self.student, losses)

    def loss_by_pairs(
        self, labelled: Batch, pseudo: Batch, batch_info: Mapping[str, float]
    ) -> Losses:
        """The losses on labelled × unlabelled images; none without a mixer.

        Args:
            labelled: Inputs and samples of the labelled images.
            pseudo: Inputs and samples of the unlabelled images in the student's
                view, with pseudo-labels.
            batch_info: ``ramp``: a factor beside ``cross_weight``, if the mixer
                keeps pseudo-labels. Whether there are any does not matter to what
                labelled images teach.
        """
        mixer = self._mixer('cross')
        if mixer is None:
            return {}
        inputs, samples = labelled
        weight = None if self.settings.regress_pseudo else 1.0
        labelled = (inputs, [mixable(sample, weight) for sample in samples])
        mixed = mixed_pair(mixer, labelled, pseudo, self.data_preprocessor)
        ramp = 1.0 if keeps_first(mixer) else batch_info['ramp']
        return self._term('cross', mixed, ramp)

    def get_pseudo_instances(
        self, batch_inputs: Tensor, batch_data_samples: Sequence[DetDataSample]
    ) -> tuple[list[DetDataSample], dict]:
        """What the teacher is confident to see.

        Args:
            batch_inputs: ``(N, C, H, W)``, the teacher's view.
            batch_data_samples: N samples; their annotations are not read.

        Returns:
            N new samples with ``bboxes``, ``labels`` and ``scores``; with
            ``ignore_pseudo_thr``, ``ignored_instances`` too. And an empty dict.
        """
        self.teacher.eval()
        images = (batch_inputs, batch_data_samples)
        size = self.settings.teacher_batch_size
        predicted = predict_labels(self.teacher, *images, size)
        return sorted_out(batch_data_samples, predicted, self.settings), {}

    def project_pseudo_instances(
        self,
        batch_pseudo_instances: Sequence[DetDataSample],
        batch_data_samples: Sequence[DetDataSample],
    ) -> list[DetDataSample]:
        """The same in the student's view, without what became too small there.

        Args:
            batch_pseudo_instances: See :meth:`get_pseudo_instances`.
            batch_data_samples: N samples of the student's view.

        Returns:
            N new samples of the student's view.

        Raises:
            ValueError: If the numbers of images differ, or a view has no
                ``homography_matrix``.
        """
        size = self.settings.min_pseudo_bbox_wh
        return projected(batch_pseudo_instances, batch_data_samples, size)

    def _pseudo_labelled(
        self, weak: Batch, strong: Batch
    ) -> tuple[Batch, dict[str, float], dict[str, Tensor]]:
        """The student's view with pseudo-labels; their factors and statistics."""
        found, _ = self.get_pseudo_instances(*weak)
        inputs, samples = strong
        samples = self.project_pseudo_instances(found, samples)
        self._show('weak', (weak[0], found))
        self._show('strong', (inputs, samples))
        info = term_factors(self.settings, self.progress, samples)
        statistics = label_statistics([s.gt_instances for s in samples], inputs)
        no_field = self.settings.regress_pseudo or not self._weighs_regression
        weight = None if no_field else 0.0
        batch = (inputs, [mixable(sample, weight) for sample in samples])
        return batch, info, statistics

    @untraced
    def _burns_in(self) -> bool:
        """Whether the teacher is not there yet."""
        return self.progress is not None and self.progress.burning_in

    def _mixer(self, term: str) -> nn.Module | None:
        """The mixer of a term; None if it has none or it is switched off."""
        mixes = term in self.mixers and self.mixers[term].enabled
        return self.mixers[term] if mixes else None

    def _mixed(
        self, term: str, inputs: Tensor, samples: Sequence[DetDataSample]
    ) -> Batch:
        """The batch of a term after its mixer, if it has one."""
        mixer = self._mixer(term)
        return (inputs, samples) if mixer is None else mixer(inputs, samples)

    def _show(self, name: str, batch: Batch) -> None:
        """Let the watcher see a batch."""
        if self._watcher is not None:
            self._watcher(name, batch)

    def _term(self, term: str, batch: Batch, factor: float = 1.0) -> Losses:
        """The student's losses on a batch, weighted and named."""
        name = self._term_name(term)
        self._show(name, batch)
        weight = self._term_weight(name) * factor
        losses = reweight_loss_dict(self.student.loss(*batch), weight)
        return rename_loss_dict(f'{name}_', losses)

    def _term_name(self, term: str) -> str:
        """What a term is called in the log."""
        return term

    def _term_weight(self, name: str) -> float:
        """The factor of a term."""
        return getattr(self.settings, f'{name}_weight')
