"""Images in the folders of classes that a data set leaves out for their endings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mmmix.apis.data_checks.class_names import Source
from mmmix.layouts.files_below import files_below
from mmmix.layouts.image_files import SUFFIXES

from .finding import WARNING, Finding


def check_endings(split: str, source: Source) -> Iterator[Finding]:
    """Look for images that mmpretrain's ``CustomDataset`` passes over in silence.

    Args:
        split: Of the data set.
        source: Any data set; one without folders of classes is passed over.
    """
    dataset = source.dataset
    folders = [
        Path(dataset.img_prefix, name) for name in getattr(dataset, 'folder_to_idx', ())
    ]
    endings = Counter(
        path.suffix.lower()
        for folder in folders
        if folder.is_dir()
        for path in files_below(folder)
        if path.suffix.lower() in SUFFIXES and not dataset.is_valid_file(path.name)
    )
    if endings:
        some = ', '.join(f'{count} of {ending}' for ending, count in endings.items())
        read = tuple(sorted({*dataset.extensions, *endings}))
        yield Finding(
            WARNING,
            f'{split} data',
            f'images in the folders of classes are left out for their endings: {some}',
            f'set {source.key}.extensions={read}',
        )
