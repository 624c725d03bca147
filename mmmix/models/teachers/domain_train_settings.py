"""Weights of the mixed-domain teacher's loss, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mmmix.mixing.checks import check_bool, check_integer

from .semi_train_settings import PREFIX, SemiTrainSettings, check_factor

# Settings of MixTeacher that the lambdas take the place of.
_REPLACED = ('sup_weight', 'unsup_weight', 'cross_weight')
_LAMBDAS = ('lambda_mss', 'lambda_nst', 'lambda_mtt', 'lambda_mst', 'lambda_disc')


class DomainTrainSettings(NamedTuple):
    """``semi_train_cfg`` of ``MixedDomainTeacher`` (LossMix, suppl. C and D).

    Attributes:
        lambda_mss: Weight of source × source.
        lambda_nst: Weight of source with a little target, during warm-up.
        lambda_mtt: Weight of target × target.
        lambda_mst: Weight of source × target.
        lambda_disc: Weight of the discriminator's loss.
        disc_ramp_up: The number of iterations after warm-up in which the reversed
            gradient that reaches the features rises to its value. The
            discriminator, which is fresh then, learns at full weight meanwhile.
            Without one, or with ``lambda_disc`` 0, it has no effect.
        weak_source: Whether ``mss`` learns from the weak view of the source too, the
            branch ``sup_weak``, in one batch with the strong one, as in Adaptive
            Teacher's code.
        pseudo: How the teacher's labels are used: the settings of ``MixTeacher``
            but for its weights. By default a prediction must have a score above
            0.8, and pseudo-boxes teach no box regression.
    """

    lambda_mss: float = 1.0
    lambda_nst: float = 1.0
    lambda_mtt: float = 1.0
    lambda_mst: float = 1.0
    lambda_disc: float = 0.1
    disc_ramp_up: int = 0
    weak_source: bool = False
    pseudo: SemiTrainSettings = SemiTrainSettings()

    @classmethod
    def build(cls, cfg: Mapping[str, Any] | None) -> DomainTrainSettings:
        """Check the settings.

        Args:
            cfg: All of these, and what ``pseudo`` holds, flat.

        Raises:
            TypeError, ValueError: Naming the setting.
        """
        settings = dict(cfg or {})
        own = (*_LAMBDAS, 'disc_ramp_up', 'weak_source')
        shared = [name for name in SemiTrainSettings._fields if name not in _REPLACED]
        unknown = sorted(settings.keys() - {*own, *shared})
        if unknown:
            raise ValueError(
                f'semi_train_cfg has unknown settings {unknown}; expected some of '
                f'{[*own, *shared]}'
            )
        kept = {name: settings.pop(name) for name in own if name in settings}
        pseudo = dict(cls_pseudo_thr=0.8, regress_pseudo=False) | settings
        self = cls(**kept, pseudo=SemiTrainSettings.build(pseudo))
        for name in _LAMBDAS:
            check_factor(name, getattr(self, name))
        check_integer(f'{PREFIX}disc_ramp_up', self.disc_ramp_up, least=0)
        check_bool(f'{PREFIX}weak_source', self.weak_source)
        return self

    def flat(self) -> dict[str, Any]:
        """All settings, those by default too, as :meth:`build` takes them."""
        own = {name: getattr(self, name) for name in self._fields if name != 'pseudo'}
        shared = self.pseudo._asdict()
        return own | {k: v for k, v in shared.items() if k not in _REPLACED}

    def weight(self, term: str) -> float:
        """λ of a term, ``'mss'`` say."""
        return getattr(self, f'lambda_{term}')

    def reversal(self, iteration: int) -> float:
        """Share of the reversed gradient that reaches the features.

        Args:
            iteration: Counted from the end of warm-up; as
                :meth:`SemiTrainSettings.ramp`.
        """
        return self.pseudo._replace(ramp_up=self.disc_ramp_up).ramp(iteration)
