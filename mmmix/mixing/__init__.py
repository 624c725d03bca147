"""What all mixers share: draws from counters, ratios, pairs and settings."""

from .counters import counter_rng, runner_counter
from .ratios import Beta, Constant, Uniform, build_ratio
from .supervision import build_supervision

__all__ = [
    'Beta',
    'Constant',
    'Uniform',
    'build_ratio',
    'build_supervision',
    'counter_rng',
    'runner_counter',
]
