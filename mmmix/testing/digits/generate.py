"""Writes a whole data set, all of it or nothing."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mmmix.layouts.writing import whole_folder
from mmmix.testing.digits.coco import CocoAnnotations
from mmmix.testing.digits.scene import make_scene
from mmmix.testing.digits.settings import SPLITS, VERSIONS, DigitsSettings
from mmmix.testing.digits.voc import image_id, write_image_set, write_scene

MANIFEST = 'manifest.json'

_OUR_FILES = re.compile(
    r'manifest\.json'
    r'|(Annotations|JPEGImages)/(train|val|test)_\d{5,}\.(xml|jpg)'
    r'|(ImageSets/Main|annotations)/(train|val|test)\.(txt|json)',
    # On a file system that ignores case, annotations/ lies in Annotations/.
    re.IGNORECASE,
)


def generate(
    settings: DigitsSettings,
    out: str | Path,
    *,
    coco: bool = False,
    force: bool = False,
    progress: bool = True,
) -> bool:
    """Write the data set of ``settings`` to the folder ``out``.

    Everything is written to a folder beside ``out`` and renamed at the end, so that
    ``out`` is never half done. A folder that already holds these
    settings is left as it is; half a data set, whose manifest lacks its
    completion mark, is made anew.

    Args:
        settings: What to write.
        out: The folder: ``Annotations/``, ``JPEGImages/``, ``ImageSets/Main/``
            and ``manifest.json``.
        coco: Also write ``annotations/{train,val,test}.json`` in COCO's format.
        force: Write anew whatever generated digits ``out`` holds.
        progress: Show a progress bar with the time left.

    Returns:
        Whether anything was written.

    Raises:
        FileExistsError: If ``out`` holds digits of other settings and ``force``
            is off, or holds files that are no generated digits.
        ImportError: If scikit-learn is not installed.
        OSError: If a file cannot be written.
    """
    out = Path(out).resolve()
    manifest = read_manifest(out)
    same = manifest is not None and manifest.get('content') == _content(settings)
    if same and not force and (manifest.get('coco') or not coco):
        return False
    if manifest is not None and not same and not force:
        raise FileExistsError(
            f'{out} holds digits of other settings ({manifest.get("content")}); add '
            f'--force (force=True) to replace them, or choose another folder by --out'
        )
    _check_only_digits(out)
    with whole_folder(out, replace=True) as draft:
        boxes = _write(settings, draft, coco, progress)
        _write_manifest(draft, settings, coco, boxes)
    return True


def read_manifest(out: Path) -> dict[str, Any] | None:
    """The manifest of a completely written data set, otherwise None."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    complete = isinstance(manifest, dict) and manifest.get('complete') is True
    return manifest if complete else None


def _content(settings: DigitsSettings) -> dict[str, Any]:
    """All that decides about the images."""
    return {'version': VERSIONS[settings.domain], **dataclasses.asdict(settings)}


def _check_only_digits(out: Path) -> None:
    """Refuse to delete what this module did not write."""
    if not out.exists():
        return
    if not out.is_dir():
        raise FileExistsError(f'{out} is a file; choose a folder by --out')
    for path in out.rglob('*'):
        name = path.relative_to(out).as_posix()
        if not path.is_dir() and not _OUR_FILES.fullmatch(name):
            raise FileExistsError(
                f'{out} holds files that are no generated digits, such as {name}; '
                f'nothing was changed, choose another folder by --out'
            )


def _write(settings: DigitsSettings, root: Path, coco: bool, progress: bool) -> int:
    """Write all images and annotations; returns the number of boxes."""
    for folder in ('Annotations', 'JPEGImages', 'ImageSets/Main'):
        (root / folder).mkdir(parents=True)
    names: dict[str, list[str]] = {split: [] for split in SPLITS}
    annotations = {split: CocoAnnotations() for split in SPLITS}
    boxes = 0
    label = f'digits, {settings.domain} domain'
    bar = tqdm(
        settings.images(), label, unit='image', mininterval=0.5, disable=not progress
    )
    for split, index in bar:
        name = image_id(split, index)
        scene = make_scene(settings, split, index)
        write_scene(root, name, scene)
        names[split].append(name)
        annotations[split].add(name, scene)
        boxes += len(scene.glyphs)
    for split in SPLITS:
        write_image_set(root, split, names[split])
        if coco:
            annotations[split].write(root / 'annotations' / f'{split}.json')
    return boxes


def _write_manifest(
    root: Path, settings: DigitsSettings, coco: bool, boxes: int
) -> None:
    manifest = {
        'content': _content(settings),
        'coco': coco,
        'images': len(settings.images()),
        'boxes': boxes,
        'complete': True,
    }
    text = json.dumps(manifest, indent=2) + '\n'
    (root / MANIFEST).write_text(text, encoding='utf-8')
