"""Test-time augmentation, as mmdet's ``tools/test.py --tta`` sets it up."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from mmmix.registry import is_classifier

_MODEL = {
    'type': 'DetTTAModel',
    'tta_cfg': {'nms': {'type': 'nms', 'iou_threshold': 0.5}, 'max_per_img': 100},
}
_META_KEYS = (
    *('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    *('flip', 'flip_direction'),
)
_OF_CLASSIFIERS = {'type': 'AverageClsScoreTTA'}
# Metrics that read the boxes of a sample, as VOCMetric does, get those of the first
# image: it must be the one that is not mirrored, unlike in mmdet's script.
_FLIPS = {
    'type': 'TestTimeAug',
    'transforms': [
        [{'type': 'RandomFlip', 'prob': 0.0}, {'type': 'RandomFlip', 'prob': 1.0}],
        [{'type': 'PackDetInputs', 'meta_keys': _META_KEYS}],
    ],
}


def use_tta(cfg: Config) -> None:
    """Test every image several times and join the detections.

    ``tta_model`` and ``tta_pipeline`` of the config say how. Without them it is done
    as mmdet does: the image and its mirror image, joined by non-maximum suppression;
    of a classifier the scores are averaged. What the test pipeline packs beside mmdet's
    keys, for the metrics, stays.

    Args:
        cfg: Changed in place: its model and the pipeline of its test data.

    Raises:
        KeyError: If the config has no model or no test data.
        ValueError: If the test data are several sets.
    """
    for key in ('model', 'test_dataloader'):
        if cfg.get(key) is None:
            raise KeyError(f'--tta needs {key}=dict(...) in the config')
    dataset = cfg.test_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    if 'pipeline' not in dataset:
        raise ValueError(
            '--tta replaces the pipeline of test_dataloader.dataset, and '
            f'{dataset.get("type")} has none; test each of its parts by itself'
        )
    if cfg.get('tta_model') is None:
        model = _OF_CLASSIFIERS if is_classifier(cfg) else _MODEL
        text = f'--tta: no tta_model in the config, taking {model["type"]}'
        print_log(text, 'current')
        cfg.tta_model = copy.deepcopy(model)
    if cfg.get('tta_pipeline') is None:
        print_log('--tta: no tta_pipeline in the config, mirroring images', 'current')
        flips = _flips(dataset, is_classifier(cfg))
        cfg.tta_pipeline = [*copy.deepcopy(dataset.pipeline[:-1]), flips]
    cfg.model = ConfigDict(**cfg.tta_model, module=cfg.model)
    dataset.pipeline = cfg.tta_pipeline


def _flips(dataset: Any, classifies: bool) -> dict[str, Any]:
    """The last step of the default pipeline."""
    flips = copy.deepcopy(_FLIPS)
    if classifies:
        # mmpretrain packs what a flip did by default.
        flips['transforms'][1] = [copy.deepcopy(dataset.pipeline[-1])]
        return flips
    (pack,) = flips['transforms'][1]
    more = dataset.pipeline[-1].get('meta_keys', ())
    pack['meta_keys'] += tuple(key for key in more if key not in _META_KEYS)
    return flips
