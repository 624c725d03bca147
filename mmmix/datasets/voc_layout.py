"""VOC layout with images of any format, and with none of its XML files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmdet.datasets import VOCDataset, XMLDataset
from mmdet.registry import DATASETS
from mmengine.fileio import LocalBackend, get_file_backend

from mmmix.layouts.endings import in_any_case, names_in
from mmmix.layouts.image_files import SUFFIXES, read_header


@DATASETS.register_module()
class VOCLayoutDataset(XMLDataset):
    """``XMLDataset`` for PNG and other images, and for lists of unlabelled images.

    An image is the file of its name in ``img_subdir``: ``.jpg``, which mmdet takes
    for granted, or ``.jpeg``, ``.png``, ``.bmp``, ``.tif``, ``.tiff`` or ``.webp``, in
    any case. Where all are ``.jpg`` it loads what ``XMLDataset`` loads. The folder
    must be local; elsewhere ``.jpg`` is taken for granted. The ending of an XML file
    may be in any case, too.

    Args:
        labelled: Whether there are annotations. If not, no XML file is looked for:
            images have no objects, and their size comes from the head of the file.
        **kwargs: As mmdet's ``XMLDataset``.
    """

    def __init__(self, labelled: bool = True, **kwargs: Any) -> None:
        self.labelled = labelled
        super().__init__(**kwargs)

    def parse_data_info(self, img_info: dict) -> dict[str, Any]:
        """As ``XMLDataset``.

        Raises:
            FileNotFoundError: If an image without annotation does not exist.
            ValueError: If its head cannot be read.
        """
        file_name = self._with_suffix(img_info['file_name'])
        if self.labelled:
            more = dict(file_name=file_name, xml_path=in_any_case(img_info['xml_path']))
            return super().parse_data_info({**img_info, **more})
        path = os.path.join(self.sub_data_root, file_name)
        header = read_header(path)
        if header is None:
            raise ValueError(f'{path} has no head of an image; get the file again')
        width, height = header.shown
        return dict(
            img_path=path,
            img_id=img_info['img_id'],
            height=height,
            width=width,
            instances=[],
        )

    def _with_suffix(self, file_name: str) -> str:
        """The name of an image with the extension that it has on the disk."""
        path = os.path.join(self.sub_data_root, file_name)
        other = other_suffix(path, self.backend_args)
        return os.path.relpath(other, self.sub_data_root or '.') if other else file_name


@DATASETS.register_module()
class UnlabelledVOCDataset(VOCLayoutDataset, VOCDataset):
    """Images in VOC layout with VOC's 20 classes, whose labels are not read.

    Args:
        labelled: See :class:`VOCLayoutDataset`.
        **kwargs: As mmdet's ``VOCDataset``.
    """

    def __init__(self, labelled: bool = False, **kwargs: Any) -> None:
        super().__init__(labelled=labelled, **kwargs)


def check_splits(root: str | os.PathLike, splits: Iterable[str]) -> None:
    """Make sure that a folder in VOC layout has its lists of images.

    Args:
        root: The folder with ``ImageSets/Main``.
        splits: Names of lists.

    Raises:
        FileNotFoundError: With the lists that there are.
    """
    lists = Path(root, 'ImageSets', 'Main')
    if not lists.is_dir():
        raise FileNotFoundError(
            f'{root} has no folder ImageSets/Main; give the folder with JPEGImages, '
            'Annotations and ImageSets/Main, such as data/VOCdevkit/VOC2012'
        )
    missing = [split for split in splits if not (lists / f'{split}.txt').is_file()]
    if missing:
        known = sorted(path.stem for path in lists.glob('*.txt'))
        # those of a class alone, cat_train, are many
        named = [name for name in known if '_' not in name] or known
        raise FileNotFoundError(
            f'{lists} has no list {", ".join(missing)}; the splits there are '
            f'{", ".join(named) or "none"}'
        )


def split_dataset(
    root: str | os.PathLike, split: str, classes: Sequence[str]
) -> VOCLayoutDataset:
    """All images of a list, with their objects of some classes.

    Args:
        root: The folder with ``JPEGImages``, ``Annotations`` and ``ImageSets/Main``.
        split: Name of the list.
        classes: Names of the classes, by label.
    """
    return VOCLayoutDataset(
        data_root=str(root),
        ann_file=f'ImageSets/Main/{split}.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=tuple(classes)),
        test_mode=True,
    )


def other_suffix(path: str, backend_args: dict | None = None) -> str | None:
    """An image of the same name and another format.

    Args:
        path: Of an image.
        backend_args: How to reach it.

    Returns:
        Its path; None if there is an image of this very path, or none at all, or the
        folder is not local.
    """
    folder, name = os.path.split(path)
    backend = get_file_backend(path, backend_args=backend_args, enable_singleton=True)
    if not isinstance(backend, LocalBackend) or os.path.exists(path):
        return None
    present, stem = names_in(folder or '.'), os.path.splitext(name)[0]
    found = (present[stem + s] for s in SUFFIXES if stem + s in present)
    other = next(found, None)
    return other and os.path.join(folder, other)
