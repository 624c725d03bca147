"""mmmix's own configs by name, from a wheel or from a checkout.

Other projects inherit them as ``_base_ = 'mmmix::ssd300_voc_boxmix.py'`` once mmmix is
imported, or, in programs that do not import it, as
``_base_ = __import__('mmmix').config_path('ssd300_voc_boxmix.py')``.
"""

import difflib
from pathlib import Path

PREFIX = 'mmmix::'


def config_root() -> Path:
    """Returns the folder of mmmix's configs.

    A wheel carries it inside of the package; in a checkout, editable installs
    included, it lies beside the package.

    Raises:
        FileNotFoundError: If there is no such folder, in a damaged installation.
    """
    package = Path(__file__).resolve().parents[2]
    candidates = (package / '.mim' / 'configs', package.parent / 'configs')
    for folder in candidates:
        if folder.is_dir():
            return folder
    looked = ' or '.join(map(str, candidates))
    raise FileNotFoundError(
        f'the configs of mmmix are neither in {looked}; install mmmix again'
    )


def config_path(name: str) -> str:
    """Returns the absolute path of one of mmmix's configs.

    Args:
        name: Path relative to ``configs/``, for instance ``'ssd300_voc_boxmix.py'`` or
            ``'demo/ssd_digits.py'``; the prefix ``mmmix::`` may stand before it.

    Raises:
        TypeError: If the name is not a string.
        FileNotFoundError: If there is no such config; the message lists close matches.
    """
    if not isinstance(name, str):
        raise TypeError(
            f'a config name must be a str such as "ssd300_voc_boxmix.py", got {name!r}'
        )
    relative = name.removeprefix(PREFIX)
    root = config_root()
    path = root / relative
    if path.is_file() and path.resolve().is_relative_to(root.resolve()):
        return str(path)
    close = _close_matches(relative, root)
    hint = 'README.md in that folder lists all of them.'
    if close:
        hint = f'Close matches: {", ".join(close)}.'
    raise FileNotFoundError(f"mmmix has no config '{relative}' in {root}. {hint}")


def config_names() -> list[str]:
    """The configs to train with, as :func:`config_path` takes them."""
    root = config_root()
    names = (path.relative_to(root) for path in root.rglob('*.py'))
    return sorted(name.as_posix() for name in names if '_base_' not in name.parts)


def nearest_configs(path: str) -> str:
    """Configs that a path may be meant for: in its folder, and those of mmmix."""
    folder, wanted = Path(path).parent, f'{Path(path).stem}.py'
    there = {file.name: str(file) for file in sorted(folder.glob('*.py'))}
    names = {Path(name).name: f'{PREFIX}{name}' for name in config_names()}
    near = [
        known[name]
        for known in (there, names)
        for name in difflib.get_close_matches(wanted, known, n=1, cutoff=0.8)
    ]
    return f'did you mean {" or ".join(near)}? Else ' if near else ''


def mix_folder() -> Path:
    """The folder with a file for each method."""
    return config_root() / '_base_' / 'mixes'


def mix_names() -> list[str]:
    """The methods that ``--mix`` knows."""
    return sorted(path.stem for path in mix_folder().glob('*.py'))


def no_such_method(name: str) -> str:
    """What to say of a method that there is not, with the nearest."""
    near = difflib.get_close_matches(name, mix_names(), n=1)
    hint = f' Did you mean {near[0]!r}?' if near else ''
    return (
        f'no method is called {name!r}; expected one of {", ".join(mix_names())}.{hint}'
    )


def _close_matches(relative: str, root: Path) -> list[str]:
    """Configs below a folder of nearly that name, the same name elsewhere first."""
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob('*.py'))
    same_file = [name for name in names if Path(name).name == Path(relative).name]
    close = same_file + difflib.get_close_matches(relative, names, n=4, cutoff=0.5)
    return list(dict.fromkeys(close))


def _no_such_config(name: str) -> str | None:
    """What to say of a config that another package has not, with the nearest.

    Args:
        name: ``PACKAGE::FOLDER/NAME.py``.

    Returns:
        None if that package's configs are not where its wheel has them.
    """
    # Here, because listing configs needs no stack.
    from mmengine.config.utils import MODULE2PACKAGE
    from mmengine.utils import get_installed_path, is_installed

    package, _, relative = name.partition('::')
    module = MODULE2PACKAGE.get(package)
    if module is None or not is_installed(module):
        return None
    root = Path(get_installed_path(module), '.mim', 'configs')
    if not root.is_dir():
        return None
    relative = relative and Path(relative).with_suffix('.py').as_posix()
    close = _close_matches(relative, root)
    folder = root / Path(relative).parent
    hint = (
        f'Close matches: {", ".join(f"{package}::{near}" for near in close)}.'
        if close
        else f'{folder if folder.is_dir() else root} holds those that there are.'
    )
    return f"{package} has no config '{relative}' in {root}. {hint}"


def install_config_prefix() -> None:
    """Makes mmengine resolve ``_base_ = 'mmmix::…'``; other prefixes stay stock.

    Of a config that is in no package the nearest ones are told, whatever the prefix.
    mmengine knows the packages it was written with and requires a ``/`` in the name.
    The step replaced here also decides the registry scope of the base: a base of
    mmmix has none, like a local file, because mmmix registers into mmdet's
    registries. Calling this again has no effect.
    """
    # Here, because listing configs needs no stack.
    from mmengine.config import Config

    stock = Config._get_cfg_path
    if getattr(stock, 'resolves_mmmix', False):
        return

    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(PREFIX):
            return config_path(cfg_path), None
        try:
            return stock(cfg_path, filename)
        except (FileNotFoundError, ValueError) as error:  # the latter without a folder
            text = _no_such_config(cfg_path) if cfg_path.count('::') == 1 else None
            if text is None:
                raise
            raise FileNotFoundError(text) from error

    get_cfg_path.resolves_mmmix = True
    Config._get_cfg_path = staticmethod(get_cfg_path)
