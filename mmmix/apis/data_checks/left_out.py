"""Images in folders of classes that a classifier's data set leaves out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmcv.transforms import LoadImageFromFile

from mmmix.layouts.left_out import in_words, left_out

from .class_names import Source
from .images import UNREADABLE, image_loader


def check_endings(source: Source) -> list[str]:
    """Look for images that mmpretrain's ``CustomDataset`` passes over in silence.

    Args:
        source: Any data set; one whose loading nobody watched is passed over.

    Returns:
        Warnings: how many there are, of which endings, and what to do.
    """
    return [f'{source.key}: {text}; {fix}' for text, fix in left_out_images(source)]


def left_out_images(source: Source) -> Iterator[tuple[str, str]]:
    """The same, each with what to do by itself."""
    endings = source.images.left_out if source.images else None
    if endings:
        yield in_words(endings), _fix(source, list(endings))
    beside = _beside_folders(source.dataset)
    if beside:
        text = (
            f'{len(beside)} images lie beside the folders of classes and are left out, '
            f'such as {beside[0]}'
        )
        yield text, 'move each into the folder of its class'


def _fix(source: Source, endings: Sequence[str]) -> str:
    """The setting that reads them, as far as they can be decoded."""
    dataset = source.dataset
    read = [ending for ending in endings if _is_decoded(dataset, ending)]
    others = [ending for ending in endings if ending not in read]
    fixes = []
    if read:
        extensions = tuple(sorted({*dataset.extensions, *read}))
        fixes.append(f'set {source.key}.extensions={extensions}')
    if others:
        fixes.append(
            f'save those of {", ".join(others)}, which cannot be decoded here, as '
            '.png or .jpg'
        )
    return '; '.join(fixes)


def _is_decoded(dataset: Any, ending: str) -> bool:
    """Whether the first image that ends so can be loaded."""
    path = next(_files_ending(dataset.img_prefix, ending), None)
    loader = image_loader(dataset) or LoadImageFromFile()
    try:
        return path is not None and loader.transform(dict(img_path=path)) is not None
    except UNREADABLE:
        return False


def _files_ending(root: str, ending: str) -> Iterator[str]:
    """Paths below a folder that end so, in any case; hidden files are left out."""
    for folder, _, names in os.walk(root, followlinks=True):
        for name in sorted(names):
            if name.lower().endswith(ending) and name[0] != '.':
                yield os.path.join(folder, name)


def _beside_folders(dataset: Any) -> list[Path]:
    """Images in the folder that those of the classes are in."""
    if not getattr(dataset, 'folder_to_idx', ()) or not os.path.isdir(
        dataset.img_prefix
    ):
        return []
    names = sorted(entry.name for entry in os.scandir(dataset.img_prefix))
    return [Path(dataset.img_prefix, name) for name in names if left_out([name], ())]
