"""Mixup-style regularisation for object detectors on MMDetection 3.x.

Importing mmmix registers everything it has with mmdet's registries, so that configs
name its types bare, and teaches configs the ``mmmix::`` prefix.
"""

from mmmix.apis.stack import check_stack

check_stack()

# The rest imports the stack, so it can only follow the check.
from mmmix import (  # noqa: E402
    datasets,
    engine,
    evaluation,
    models,
    structures,
    visualization,
)
from mmmix.apis.apply_mix import apply_mix  # noqa: E402
from mmmix.apis.config_path import (  # noqa: E402
    config_path,
    install_config_prefix,
)
from mmmix.version import __version__  # noqa: E402

install_config_prefix()

__all__ = [
    '__version__',
    'apply_mix',
    'config_path',
    'datasets',
    'engine',
    'evaluation',
    'models',
    'structures',
    'visualization',
]
