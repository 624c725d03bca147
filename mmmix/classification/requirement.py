"""The check that mmpretrain, on which this family is built, can be used."""

from __future__ import annotations

import importlib

from packaging.version import Version

LOWEST, BOUND = '1.2.0', '2.0.0'

INSTALL_HELP = """
The classifiers of mmmix are built on mmpretrain, which two packages provide:

  the maintained fork          pip install 'mmmix[classification]'
  the classic stack            pip install 'mmpretrain>=1.2,<2'

Either needs the torchvision that belongs to your torch. To change nothing else of an
installed stack, give pip --no-deps and name what mmpretrain imports:

  pip install --no-deps onedl-mmpretrain einops mat4py modelindex model-index \\
      markdown ordered-set click requests urllib3 idna charset-normalizer certifi

with mmpretrain, importlib-metadata and zipp in place of onedl-mmpretrain on the
classic stack."""


def check_mmpretrain() -> None:
    """Make sure that mmpretrain can be imported and has a version that is known.

    Raises:
        ImportError: If it is missing, lacks what it needs, or has another version,
            with what was found and how to install it.
    """
    try:
        mmpretrain = importlib.import_module('mmpretrain')
    except ModuleNotFoundError as error:
        missing = error.name == 'mmpretrain'
        found = 'is not installed' if missing else f'lacks what it needs: {error}'
        raise ImportError(
            f'mmmix.classification needs mmpretrain, which {found}.\n{INSTALL_HELP}'
        ) from error
    # A torchvision that does not fit the torch raises RuntimeError, another mmcv
    # AssertionError.
    except (ImportError, RuntimeError, AssertionError) as error:
        raise ImportError(
            f'mmpretrain is installed but cannot be imported: {error}\n{INSTALL_HELP}'
        ) from error
    version = mmpretrain.__version__
    if not Version(LOWEST) <= Version(version) < Version(BOUND):
        raise ImportError(
            f'mmmix.classification needs mmpretrain >= {LOWEST}, < {BOUND}, but found '
            f'{version}.\n{INSTALL_HELP}'
        )
