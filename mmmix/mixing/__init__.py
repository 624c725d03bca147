"""What all mixers share: draws from counters, ratios, pairs and settings."""

from .counters import counter_rng, runner_counter
from .ratios import Beta, Constant, Uniform, build_ratio

__all__ = [
    'Beta',
    'Constant',
    'Uniform',
    'build_ratio',
    'counter_rng',
    'runner_counter',
]
