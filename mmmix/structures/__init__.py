"""The data model: what a mixed sample carries, and how it splits."""

from .components import (
    BOX_WEIGHTS,
    LOSS_FACTORS,
    REGRESSION_WEIGHTS,
    Annotations,
    Factors,
    dominant_component,
    split_components,
    with_box_weights,
    with_visibility,
)
from .mix_fields import (
    MIX_COUNTS,
    MIX_IDS,
    MIX_SUPERVISION,
    MIX_VISIBILITY,
    MIX_WEIGHTS,
    check_mix_ids,
    check_mix_visibility,
    check_mix_weights,
    get_mix_weights,
    is_mixed,
)

__all__ = [
    'BOX_WEIGHTS',
    'LOSS_FACTORS',
    'MIX_COUNTS',
    'MIX_IDS',
    'MIX_SUPERVISION',
    'MIX_VISIBILITY',
    'MIX_WEIGHTS',
    'REGRESSION_WEIGHTS',
    'Annotations',
    'Factors',
    'check_mix_ids',
    'check_mix_visibility',
    'check_mix_weights',
    'dominant_component',
    'get_mix_weights',
    'is_mixed',
    'split_components',
    'with_box_weights',
    'with_visibility',
]
