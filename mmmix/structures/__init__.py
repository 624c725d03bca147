"""The data model: what a mixed sample carries, and how it splits."""

from .components import (
    BOX_WEIGHTS,
    COMPONENT_WEIGHT,
    REGRESSION_WEIGHTS,
    TRANSPORT,
    Annotations,
    split_components,
    with_box_weights,
    with_visibility,
)
from .mix_fields import (
    MIX_IDS,
    MIX_PARTNER,
    MIX_SIZES,
    MIX_SUPERVISION,
    MIX_VISIBILITY,
    MIX_WEIGHTS,
    check_mix_ids,
    check_mix_visibility,
    check_mix_weights,
    dominant_component,
    get_mix_weights,
    is_mixed,
)

__all__ = [
    'BOX_WEIGHTS',
    'COMPONENT_WEIGHT',
    'MIX_IDS',
    'MIX_PARTNER',
    'MIX_SIZES',
    'MIX_SUPERVISION',
    'MIX_VISIBILITY',
    'MIX_WEIGHTS',
    'REGRESSION_WEIGHTS',
    'TRANSPORT',
    'Annotations',
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
