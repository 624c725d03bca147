"""What mmdet reads from a written data set."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mmmix.testing.digits import CLASSES, SPLITS, DigitsSettings
from mmmix.testing.digits.scene import make_scene
from mmmix.testing.digits.voc import image_id


@pytest.mark.parametrize('split', SPLITS)
def test_xml_dataset_reads_the_glyphs(voc, split, counts):
    dataset = voc[split]
    assert len(dataset) == counts[split]
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        scene = make_scene(DigitsSettings(), split, index)
        assert info['img_id'] == image_id(split, index)
        assert (info['height'], info['width']) == (160, 160)
        instances = info['instances']
        assert [i['bbox_label'] for i in instances] == [g.label for g in scene.glyphs]
        # Minus VOC's 1, a box is the indices of its first and last pixels.
        assert [tuple(i['bbox']) for i in instances] == [g.box for g in scene.glyphs]
        assert not any(i['ignore_flag'] for i in instances)
        image = cv2.imread(info['img_path'])[..., ::-1]
        assert np.abs(image.astype(float) - scene.image).mean() < 6


def test_coco_dataset_reads_the_same_boxes(written, voc):
    from mmdet.datasets import CocoDataset

    for split in SPLITS:
        coco = CocoDataset(
            data_root=str(written),
            ann_file=f'annotations/{split}.json',
            data_prefix={'img': 'JPEGImages/'},
            metainfo={'classes': CLASSES},
        )
        assert len(coco) == len(voc[split])
        for index in range(len(coco)):
            one, other = coco.get_data_info(index), voc[split].get_data_info(index)
            assert Path(one['img_path']).samefile(other['img_path'])
            for a, b in zip(one['instances'], other['instances'], strict=True):
                assert a['bbox_label'] == b['bbox_label']
                # COCO's boxes end after their last pixel.
                x_min, y_min, x_max, y_max = b['bbox']
                assert a['bbox'] == [x_min, y_min, x_max + 1, y_max + 1]


def test_voc_metric_needs_no_year(voc):
    """VOCMetric takes the class names where there is no ``dataset_type``."""
    from mmdet.evaluation import VOCMetric

    dataset = voc['train']
    assert 'dataset_type' not in dataset.metainfo
    metric = VOCMetric(eval_mode='area')
    metric.dataset_meta = dataset.metainfo
    truths = [ground_truth(dataset.get_data_info(i)) for i in range(len(dataset))]
    perfect = [(truth, detections(truth)) for truth in truths]
    assert metric.compute_metrics(perfect)['mAP'] == pytest.approx(1)
    # Absent classes do not count; losing one of those present costs its share.
    present = sorted({label for truth in truths for label in truth['labels']})
    assert len(present) > 2
    lossy = [(truth, detections(truth, lost=present[1])) for truth in truths]
    expected = 1 - 1 / len(present)
    assert metric.compute_metrics(lossy)['mAP'] == pytest.approx(expected)


def ground_truth(info):
    """An image's annotation as VOCMetric collects it."""
    return {
        'bboxes': np.array([i['bbox'] for i in info['instances']], np.float32),
        'labels': np.array([i['bbox_label'] for i in info['instances']]),
        'bboxes_ignore': np.zeros((0, 4), np.float32),
        'labels_ignore': np.zeros(0, int),
    }


def detections(truth, lost=None):
    """The true boxes with score 0.9, by class, without those of class ``lost``."""
    boxes = np.pad(truth['bboxes'], ((0, 0), (0, 1)), constant_values=0.9)
    return [boxes[(truth['labels'] == k) & (k != lost)] for k in range(len(CLASSES))]
