"""Whether a config validates on other data than it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
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
    val, test = (
        (content.get(f'{split}_dataloader') or {}).get('dataset')
        for split in ('val', 'test')
    )
    if val is None or _source(val) == _source(test):
        raise ValueError(
            f'{config} validates on what it is tested on, or not at all: a choice '
            'needs data of its own. Give val a list by --cfg-options '
            'val_dataloader.dataset.ann_file=...'
        )


def _source(dataset: Any) -> Any:
    """Which data a config of a data set reads, and not how."""
    if isinstance(dataset, dict):
        return {k: _source(v) for k, v in dataset.items() if k not in _NO_SOURCE}
    if isinstance(dataset, (list, tuple)):
        return [_source(item) for item in dataset]
    return dataset
