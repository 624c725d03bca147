"""Unsupervised domain adaptation of any detector, with mixing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from mmdet.models.utils import rename_loss_dict, reweight_loss_dict
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.dist import broadcast_object_list
from mmengine.logging import print_log
from torch import Tensor, nn

from mmmix.mixing.counters import runner_counter
from mmmix.mixing.untraced import untraced
from mmmix.models.supervisions import Losses

from .branches import Batch, branch, cycled, mixed_pair
from .domain_batches import Batches, both_views, domain_maps, without_labels
from .domain_checks import build_domain_mixers
from .domain_train_settings import DomainTrainSettings
from .feature_tap import FeatureTap
from .mix_teacher import MixTeacher
from .semi_checks import check_cross, warn_idle
from .teacher_progress import TeacherProgress

# What MixTeacher calls the terms on labelled, pseudo-labelled and pairs of images.
_PAPER_NAMES = dict(sup='mss', unsup='mtt', cross='mst')
_WARM_UP = ('mss', 'nst')
_ADAPTATION = ('mss', 'mtt', 'mst', 'disc')


@MODELS.register_module()
class MixedDomainTeacher(MixTeacher):
    """LossMix's mixed-domain teacher: labelled source, unlabelled target images.

    In two phases (LossMix, sec. 3.6 and suppl. C, eq. 15 and 16)::

        L_warm  = λ_mss L_mss + λ_nst L_nst
        L_adapt = λ_mss L_mss + λ_mtt L_mtt + λ_mst L_mst + λ_disc L_disc

    - ``mss``: source × source, with their labels;
    - ``nst``: source with a little target in it, with the labels of the source;
    - ``mtt``: target × target, with the teacher's labels;
    - ``mst``: source × target, with the source's and the teacher's labels;
    - ``disc``: a discriminator of the domains, whose gradient the student's
      features get reversed.

    During warm-up the student is alone: no teacher, no pseudo-labels and no
    adversary. ``MixTeacherHook(burn_in=...)`` says when it ends. There the
    discriminator starts anew, from the seed of the run.

    A term whose λ is 0 is left out. The mixer of ``mss`` and ``mtt`` mixes their
    batch, which without one is trained unmixed; ``nst`` and ``mst`` are nothing
    without theirs. Losses are logged with their term in front, ``mst_loss_cls``
    say, and beside them ``disc_acc``, ``pseudo_count`` and ``pseudo_score``.

    Branches of the batch are ``sup`` (source, strong augmentation),
    ``unsup_student`` (target, strong) and ``unsup_teacher`` (the same images,
    weak); the last is not needed during warm-up. If there is a branch ``sup_weak``
    (source, weak), the discriminator sees that and ``unsup_teacher``, both
    unmixed, as in Adaptive Teacher; that takes two passes of the backbone more.
    Without it, it sees what the student computes anyway: the features of ``mss``
    and ``mtt``, where each image, mixed or not, is of one domain. With
    ``weak_source`` the student learns from ``sup_weak`` too.

    Args:
        detector: As :class:`MixTeacher`.
        semi_train_cfg: See :class:`DomainTrainSettings`.
        semi_test_cfg: As ``SemiBaseDetector``; the teacher predicts by default.
        mixers: Config of a ``MixBatch`` for any of ``mss``, ``nst``, ``mtt`` and
            ``mst``. That of ``nst`` keeps the dominant part, the source.
        discriminator: Config of a ``DomainDiscriminator``; None for none.
        data_preprocessor: As :class:`MixTeacher`.
        init_cfg: As ``SemiBaseDetector``.

    Raises:
        ValueError: If a setting is unknown or out of range, and as
            :class:`MixTeacher`.
        TypeError: If a setting has the wrong type.
    """

    def __init__(
        self,
        detector: dict,
        semi_train_cfg: dict | None = None,
        semi_test_cfg: dict | None = None,
        mixers: dict | None = None,
        discriminator: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: Any = None,
    ) -> None:
        lambdas = DomainTrainSettings.build(semi_train_cfg)
        pseudo = lambdas.pseudo._asdict()
        super().__init__(
            detector=detector,
            semi_train_cfg=pseudo,
            semi_test_cfg=semi_test_cfg,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
        )
        self.lambdas = lambdas
        self.semi_train_cfg = ConfigDict(lambdas.flat())
        self.mixers = build_domain_mixers(mixers)
        check_cross(self.student, self.mixers, 'mst', self.settings)
        self.discriminator: nn.Module | None = None
        if discriminator is not None:
            self.discriminator = MODELS.build(discriminator)
            self._tap = FeatureTap(self.student, self.discriminator.feature)
        elif lambdas.disc_ramp_up:
            warn_idle('disc_ramp_up', lambdas.disc_ramp_up, 'discriminator')

    def set_progress(self, progress: TeacherProgress) -> None:
        """Learn how far the training is; say so at the beginning of a phase."""
        before, now = self.progress, progress
        super().set_progress(now)
        if self.discriminator is not None and now.iteration == now.burn_in:
            # With randomness.diff_rank_seed each process has a seed of its own.
            seed = [runner_counter('seed')]
            broadcast_object_list(seed)
            self.discriminator.reset(seed[0])
        if before is None or before.burning_in != now.burning_in:
            print_log(self._describe_phase(now), logger='current')

    def loss(
        self,
        multi_batch_inputs: Mapping[str, Tensor],
        multi_batch_data_samples: Mapping[str, Sequence[DetDataSample]],
    ) -> Losses:
        """Losses of the terms of the present phase, weighted.

        Args:
            multi_batch_inputs: By branch, ``(N, C, H, W)``.
            multi_batch_data_samples: By branch, N samples.

        Returns:
            Losses under the student's names with the term in front, and what is
            logged beside them. The same names in every process.

        Raises:
            KeyError, ValueError, TypeError: As :meth:`MixTeacher.loss`.
        """
        batches = (multi_batch_inputs, multi_batch_data_samples)
        if self._burns_in():
            return self._warm_up(batches)
        return self._adaptation(batches)

    def loss_mss(self, source: Batch) -> Losses:
        """λ_mss L_mss: source × source, with their labels."""
        return self.loss_by_gt_instances(*source) if self._on('mss') else {}

    def loss_nst(self, source: Batch, target: Batch) -> Losses:
        """λ_nst L_nst: source with a little target, with the source's labels."""
        if not self._on('nst'):
            return {}
        target = cycled(without_labels(target), len(source[1]))
        pair = (self.mixers['nst'], source, target, self.data_preprocessor)
        return self._term('nst', mixed_pair(*pair))

    def loss_mtt(self, target: Batch | None, info: Mapping[str, float]) -> Losses:
        """λ_mtt L_mtt: target × target, with the teacher's labels."""
        return self.loss_by_pseudo_instances(*target, info) if self._on('mtt') else {}

    def loss_mst(
        self, source: Batch, target: Batch | None, info: Mapping[str, float]
    ) -> Losses:
        """λ_mst L_mst: source × target, with the source's and teacher's labels."""
        return self.loss_by_pairs(source, target, info) if self._on('mst') else {}

    def loss_disc(self, source: Tensor, target: Tensor) -> Losses:
        """λ_disc L_disc: which domain are these features of?

        Args:
            source: Features of source images, ``(N, C, H, W)``.
            target: Features of target images, ``(M, C, H', W')``.
        """
        losses = self.discriminator.loss(source, target, self._reversal())
        losses = reweight_loss_dict(losses, self.lambdas.lambda_disc)
        return rename_loss_dict('disc_', losses)

    def _warm_up(self, batches: Batches) -> Losses:
        """λ_mss L_mss + λ_nst L_nst, eq. 15."""
        losses = self.loss_mss(self._labelled(batches))
        if self._on('nst'):
            views = (branch(batches, view) for view in ('sup', 'unsup_student'))
            losses |= self.loss_nst(*views)
        return losses | self._idle_disc()

    def _adaptation(self, batches: Batches) -> Losses:
        """λ_mss L_mss + λ_mtt L_mtt + λ_mst L_mst + λ_disc L_disc, eq. 16."""
        source = branch(batches, 'sup')
        target, info, statistics = self._target(batches)
        with self._recording() as source_maps:
            losses = self.loss_mss(self._labelled(batches))
        with self._recording() as target_maps:
            losses |= self.loss_mtt(target, info)
        losses |= self.loss_mst(source, target, info)
        if self._on('disc'):
            seen = (source_maps, target_maps)
            maps = domain_maps(self._tap, self.student, batches, seen)
            losses |= self.loss_disc(*maps)
        else:
            losses |= self._idle_disc()
        return losses | statistics

    def _labelled(self, batches: Batches) -> Batch:
        """The source images that ``mss`` learns from."""
        if self.lambdas.weak_source:
            return both_views(batches)
        return branch(batches, 'sup')

    def _target(
        self, batches: Batches
    ) -> tuple[Batch | None, dict[str, float], dict[str, Tensor]]:
        """The target images as the student sees them, with the teacher's labels.

        Returns:
            The batch, or None if no term asks for it; the factors of the terms with
            it, and the labels' statistics.
        """
        if not self._on('mtt') and not self._on('mst'):
            return None, {}, {}
        strong = branch(batches, 'unsup_student')
        weak = branch(batches, 'unsup_teacher')
        return self._pseudo_labelled(weak, strong)

    def _recording(self) -> AbstractContextManager[Sequence[Tensor]]:
        """Collects the student's features for the discriminator."""
        if not self._on('disc'):
            return nullcontext(())
        return self._tap.recording(self.student)

    def _idle_disc(self) -> Losses:
        """Keeps the discriminator in the loss while there is no adversary."""
        if self.discriminator is None:
            return {}
        return dict(disc_loss=self.discriminator.idle_loss())

    @untraced
    def _reversal(self) -> float:
        """Factor of the reversed gradient."""
        if self.progress is not None:
            return self.lambdas.reversal(self.progress.adapting_for)
        if self.lambdas.disc_ramp_up == 0:
            return 1.0
        raise ValueError(
            f'semi_train_cfg.disc_ramp_up={self.lambdas.disc_ramp_up} needs '
            "dict(type='MixTeacherHook') in custom_hooks, which counts iterations"
        )

    def _on(self, term: str) -> bool:
        """Whether a term is part of its phase's loss."""
        if self.lambdas.weight(term) == 0:
            return False
        if term == 'disc':
            return self.discriminator is not None
        return term in ('mss', 'mtt') or self._mixer(term) is not None

    def _describe_phase(self, progress: TeacherProgress) -> str:
        """The phase and its loss."""
        phase = f'Adaptation, iteration {progress.burn_in} and on: L ='
        names = _ADAPTATION
        if progress.burning_in:
            phase = f'Warm-up, iteration 0 to {progress.burn_in - 1}: L ='
            names = _WARM_UP
        weights = {name: self.lambdas.weight(name) for name in names if self._on(name)}
        terms = [f'{weight:g} L_{name}' for name, weight in weights.items()]
        return f'{phase} {" + ".join(terms) or 0}'

    def _mixer(self, term: str) -> nn.Module | None:
        """The mixer of a term, by either name; None if there is none or it is off."""
        return super()._mixer(_PAPER_NAMES.get(term, term))

    def _term_name(self, term: str) -> str:
        """What the paper calls a term."""
        return _PAPER_NAMES.get(term, term)

    def _term_weight(self, name: str) -> float:
        """The λ of a term."""
        return self.lambdas.weight(name)
