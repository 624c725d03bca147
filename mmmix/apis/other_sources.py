"""Scripts in one copy of mmmix that run another."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from mmengine.logging import print_log

import mmmix


def warn_of_other_sources() -> None:
    """Say so if the script of this process lies beside other sources than it runs.

    Python puts the folder of a script before the packages that are installed, and
    mmmix lies a folder above: ``tools/train.py`` of a second clone, or work tree, runs
    the clone that was installed.
    """
    script = Path(sys.argv[0]).resolve()
    runs = Path(mmmix.__file__).resolve().parent
    for tools in script.parents:
        beside = tools.parent / 'mmmix'
        if tools.name == 'tools' and (beside / '__init__.py').exists():
            if beside != runs:
                print_log(
                    f'{script} runs the sources in {runs}, not those beside it: '
                    f'install them (pip install -e {tools.parent}), or set '
                    f'PYTHONPATH={tools.parent}',
                    'current',
                    logging.WARNING,
                )
            return
