"""Images with labels in YOLO's text files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mmdet.datasets import BaseDetDataset, XMLDataset
from mmdet.registry import DATASETS

from mmmix.layouts.endings import check_names
from mmmix.layouts.files_below import files_below
from mmmix.layouts.first_few import first_lines
from mmmix.layouts.image_files import SUFFIXES, read_header
from mmmix.layouts.lists import read_list
from mmmix.layouts.yolo import Labels, label_file, read_labels

FILTERS = {'filter_empty_gt', 'min_size'}


@DATASETS.register_module()
class YOLODataset(BaseDetDataset):
    """Images with labels in YOLO's text files, read where they lie.

    The labels of ``images/a/b.jpg`` are in ``labels/a/b.txt``, or in ``b.txt`` beside
    the image; see :mod:`mmmix.layouts.yolo`. Sizes are those of the heads of the image
    files, as shown: an image that EXIF turns is labelled as one sees it.

    Args:
        ann_file: A list of images, one path a line, relative to ``data_root``. Without
            one, all images below ``data_prefix['img']``.
        data_prefix: ``img``: the folder of the images if there is no list.
        metainfo: ``classes`` are the names, in the order of the ids.
        labelled: Whether there are labels; if not, no label file is looked for.
        filter_cfg: ``filter_empty_gt`` leaves out images without objects, ``min_size``
            (pixels) small images; in training only.
        **kwargs: As mmdet's ``BaseDetDataset``.
    """

    def __init__(self, labelled: bool = True, **kwargs: Any) -> None:
        self.labelled = labelled
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read heads and labels of all images.

        Returns:
            ``img_path``, ``img_id`` (the path below ``data_root`` without its ending),
            ``height``, ``width`` and ``instances`` of each.

        Raises:
            FileNotFoundError: If an image, or every label file, is not there.
            ValueError: If there is no image, two have one name, a line of a label file
                cannot be read, or ``filter_cfg`` has a setting that nothing reads.
        """
        self._check_filter()
        images = self._images()
        classes = self.metainfo.get('classes')
        if not classes:
            raise ValueError(
                'YOLODataset needs metainfo=dict(classes=(...)): the names of '
                'data.yaml, in the order of the ids'
            )
        faults: list[str] = []
        if self.labelled:
            check_names(map(Path, images), 'they would share their labels')
        data_list = [self._info(image, len(classes), faults) for image in images]
        if faults:
            raise ValueError(
                f'{len(faults)} lines of label files cannot be read:\n'
                f'{first_lines(faults)}'
            )
        wanted = self.labelled and not self.test_mode
        if wanted and not any(label_file(image).is_file() for image in images):
            raise FileNotFoundError(
                f'none of {len(images)} images has labels; {label_file(images[0])} '
                f'would be those of {images[0]}. Put the labels there, in a folder '
                '"labels" beside "images", or beside the images'
            )
        return data_list

    filter_data = XMLDataset.filter_data

    def _check_filter(self) -> None:
        """Refuse settings of other data sets, VOC's ``bbox_min_size`` for one."""
        unknown = sorted((self.filter_cfg or {}).keys() - FILTERS)
        if unknown:
            raise ValueError(
                f'filter_cfg of YOLODataset takes {sorted(FILTERS)}, got {unknown}, '
                'which would have no effect; leave them out'
            )

    def _images(self) -> list[str]:
        """Paths of the images.

        Raises:
            FileNotFoundError: If the list or the folder is not there.
            ValueError: If there is no image.
        """
        root = self.data_root or ''
        if self.ann_file:
            images = [os.path.join(root, name) for name in read_list(self.ann_file)]
            source = self.ann_file
        else:
            source = self.data_prefix.get('img') or root
            if not os.path.isdir(source):
                raise FileNotFoundError(f'{source} is no folder; correct data_prefix')
            found = sorted(files_below(Path(source)))
            images = [str(p) for p in found if p.suffix.lower() in SUFFIXES]
        if not images:
            raise ValueError(f'{source} has no image; is it the right list or folder?')
        return images

    def _info(self, image: str, num_classes: int, faults: list[str]) -> dict[str, Any]:
        """One image with its objects; what cannot be read is added to ``faults``."""
        try:
            header = read_header(image)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'image {image} of {self.ann_file} does not exist; correct data_root, '
                'or delete the line'
            ) from error
        if header is None:
            raise ValueError(
                f'{image} has no head of an image; get the file again, or leave it out'
            )
        width, height = header.shown
        labels = Labels([], [], [])
        if self.labelled:
            labels = read_labels(label_file(image), num_classes)
        faults.extend(labels.faults)
        return dict(
            img_path=image,
            img_id=os.path.splitext(os.path.relpath(image, self.data_root or '.'))[0],
            height=height,
            width=width,
            instances=[
                dict(
                    bbox=[x1 * width, y1 * height, x2 * width, y2 * height],
                    bbox_label=label,
                    ignore_flag=0,
                )
                for label, (x1, y1, x2, y2) in zip(labels.ids, labels.boxes)
            ],
        )
