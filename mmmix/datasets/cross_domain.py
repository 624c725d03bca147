"""Drawn and painted pictures with classes of Pascal VOC, as target domains."""

from __future__ import annotations

from typing import ClassVar

from mmdet.datasets import VOCDataset
from mmdet.registry import DATASETS

from .domain_data import CLIPART1K, WATERCOLOR2K

_SHARED = ('bicycle', 'bird', 'car', 'cat', 'dog', 'person')
_PALETTE = dict(zip(VOCDataset.METAINFO['classes'], VOCDataset.METAINFO['palette']))


class _CrossDomainDataset(VOCDataset):
    """A data set in VOC layout that says how to get it where it is missing."""

    HOW_TO_GET: ClassVar[str]

    def load_data_list(self) -> list[dict]:
        """As mmdet's ``XMLDataset``.

        Raises:
            FileNotFoundError: If the list or an annotation is not there.
        """
        try:
            return super().load_data_list()
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{type(self).__name__} found no {error.filename or self.ann_file}. '
                f'{self.HOW_TO_GET}. Data elsewhere: set data_root of the dataset'
            ) from error


@DATASETS.register_module()
class Clipart1kDataset(_CrossDomainDataset):
    """Clipart1k (Inoue et al., https://arxiv.org/abs/1803.11365).

    1,000 pictures with the 20 classes of Pascal VOC, in its layout. The official
    halves are ``ImageSets/Main/train.txt`` and ``test.txt``.

    Args:
        **kwargs: As mmdet's ``XMLDataset``, with ``data_prefix=dict(sub_data_root='')``
            if ``data_root`` is the folder with ``Annotations/``.

    Raises:
        FileNotFoundError: If files are missing; says where to get them.
    """

    HOW_TO_GET = CLIPART1K


@DATASETS.register_module()
class Watercolor2kDataset(_CrossDomainDataset):
    """Watercolor2k (Inoue et al., https://arxiv.org/abs/1803.11365).

    2,000 pictures with six classes of Pascal VOC, in its layout. The official
    halves are ``ImageSets/Main/train.txt`` and ``test.txt``.

    Args:
        **kwargs: As :class:`Clipart1kDataset`.

    Raises:
        FileNotFoundError: If files are missing; says where to get them.
    """

    METAINFO: ClassVar[dict] = {
        'classes': _SHARED,
        'palette': [_PALETTE[name] for name in _SHARED],
    }
    HOW_TO_GET = WATERCOLOR2K
