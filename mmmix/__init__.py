"""Mixup-style regularisation for object detectors on MMDetection 3.x.

Importing mmmix registers everything it has with mmdet's registries, so that configs
name its types bare, and teaches configs the ``mmmix::`` prefix. Only ``python -m
mmmix`` imports it without, and leaves the rest to its subcommands.
"""

import sys

from mmmix.version import __version__

# While Python looks for the module of `-m`, argv[0] is '-m'. Later it is a path, and
# this module is run again by those subcommands that need the stack.
_words = zip(sys.orig_argv, sys.orig_argv[1:])
if sys.argv[:1] != ['-m'] or ('-m', 'mmmix') not in _words:
    from mmmix.apis.quiet_stack import import_stack_quietly
    from mmmix.apis.stack import check_stack

    check_stack()
    import_stack_quietly()

    # The rest imports the stack, so it can only follow the check.
    from mmmix.apis.taken_names import told_of_taken_names

    with told_of_taken_names():
        from mmmix import (
            datasets,
            engine,
            evaluation,
            models,
            structures,
            visualization,
        )
    from mmmix.apis.configs.apply_mix import apply_mix
    from mmmix.apis.configs.config_path import config_path, install_config_prefix

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
