"""Whether a config validates on other data than it is tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmmix.studies.seeds.options import read_choice

_NO_SOURCE = (
    *('pipeline', 'test_mode', 'filter_cfg', 'metainfo', 'backend_args'),
    *('lazy_init', 'max_refetch', 'serialize_data'),
)
"""Settings of a data set that leave its images what they are, or take some away."""


def check_val_is_not_test(
    config: str, cfg_options: Sequence[str], mix_options: Sequence[str] = ()
) -> None:
    """Refuse to choose on the data that the choice is tested on.

    Args:
        config: The config of the search.
        cfg_options: ``KEY=VALUE`` strings that change it.
        mix_options: Likewise, for the method of ``CONFIG+METHOD``.

    Raises:
        ValueError: If both loaders read the same.
    """
    content = read_choice(config, cfg_options, mix_options)
    if _dataset(content, 'val') is None or _val_is_test(content):
        raise ValueError(
            f'{config} validates on what it is tested on, or not at all: a choice '
            'needs data of its own. Give val a list by --cfg-options '
            'val_dataloader.dataset.ann_file=...'
        )


def best_of_test(content: Mapping[str, Any]) -> str:
    """A line on a best checkpoint that is chosen on the data it is tested on.

    Args:
        content: Of a config.

    Returns:
        What to do about it; an empty text if val has data of its own.
    """
    if not _val_is_test(content):
        return ''
    return (
        'Note: --checkpoint best takes the checkpoint that is best on the very images '
        'it is tested on, so every score is too high, and that of a method whose '
        'scores vary most by most: take the last one, or give val images of its own '
        'by --cfg-options val_dataloader.dataset.ann_file=...'
    )


def _val_is_test(content: Mapping[str, Any]) -> bool:
    """Whether there is a val data set, and it reads what that of test reads."""
    val = _dataset(content, 'val')
    return val is not None and _source(val) == _source(_dataset(content, 'test'))


def _dataset(content: Mapping[str, Any], split: str) -> Any:
    """The data set of a split; None without one."""
    return (content.get(f'{split}_dataloader') or {}).get('dataset')


def _source(dataset: Any) -> Any:
    """Which data a config of a data set reads, and not how."""
    if isinstance(dataset, dict):
        return {k: _source(v) for k, v in dataset.items() if k not in _NO_SOURCE}
    if isinstance(dataset, (list, tuple)):
        return [_source(item) for item in dataset]
    return dataset
