"""Which layout a folder has, and what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmmix.layouts.files_below import files_below
from mmmix.layouts.image_files import SUFFIXES
from mmmix.layouts.left_out import warning_of

from .coco import COCOLayout
from .layout import Layout
from .voc import VOCLayout
from .yolo import YOLOLayout

LAYOUTS: dict[str, type[Layout]] = {
    layout.kind: layout for layout in (VOCLayout, COCOLayout, YOLOLayout)
}
_UNREAD = (
    '.json',
    '.csv',
    '.tsv',
    '.xml',
    '.jsonl',
    '.ndjson',
    '.tfrecord',
    '.parquet',
)


def find_layout(folder: str | Path, kind: str | None = None) -> Layout:
    """Read a folder of labelled images.

    Args:
        folder: The folder.
        kind: One of ``LAYOUTS``; None finds out.

    Returns:
        Its layout, read.

    Raises:
        FileNotFoundError: If there is no such folder, or it has no image or no label.
        ValueError: If it has several layouts, or is broken; with the file and the fix.
    """
    root = Path(folder)
    files = files_below(root)
    evidence = {
        name: found
        for name, layout in LAYOUTS.items()
        if kind in (None, name) and (found := layout.evidence(files)) is not None
    }
    others = warning_of(path.name for path in files)
    if not any(path.suffix.lower() in SUFFIXES for path in files):
        raise FileNotFoundError(
            f'{root} has no image ({", ".join(SUFFIXES)}) among {len(files)} files; '
            f'{others or "give the folder that images and labels are in"}'
        )
    if not evidence:
        raise FileNotFoundError(
            f'{root} has images and no labels'
            + (f' in the layout {kind!r}' if kind else '')
            + ': expected XML files (VOC), a JSON file with "images" and "annotations" '
            '(COCO), or text files beside the images or in labels/ (YOLO). '
            + _other_labels(files)
            + _of_classes(files)
            + 'Images without labels go beside a labelled folder: --unlabelled FOLDER'
        )
    if len(evidence) > 1:
        seen = ', '.join(f'{name} ({path})' for name, path in evidence.items())
        raise ValueError(
            f'{root} has labels in {len(evidence)} layouts: {seen}. Say which one '
            f'counts: --format {" or ".join(evidence)}'
        )
    layout = LAYOUTS[next(iter(evidence))](root, files)
    layout.read()
    layout.notes += [others] if others else []
    return layout


def _of_classes(files: Sequence[Path]) -> str:
    """A sentence on folders of images that may be classes."""
    folders = {path.parent for path in files if path.suffix.lower() in SUFFIXES}
    if len(folders) < 2:
        return ''
    return (
        'If an image has the class of its folder, train a classifier '
        '(docs/classification.md, "Data of your own"). '
    )


def _other_labels(files: Sequence[Path]) -> str:
    """A sentence on a file that may hold labels in a form that is not read."""
    path = next((p for p in files if p.suffix.lower() in _UNREAD), None)
    if path is None:
        return ''
    return f'{path} is none of these; if it holds labels, export them as one. '
