"""Configs of mmdet for a folder of data."""

from __future__ import annotations

import pytest
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config

from mmmix.apis.own_data import weights
from mmmix.commands.init import main
from tests.apis.own_data.folders import write_voc

FCOS = 'mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py'
CASCADE = 'mmdet::cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py'
FASTER = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
SSDLITE = 'mmdet::ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py'


@pytest.fixture(autouse=True)
def _mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, 'is_reachable', lambda url: True)
    write_voc(tmp_path / 'mine', lists=True)


@pytest.mark.parametrize(
    ('name', 'method', 'kind', 'counts'),
    [
        (FCOS, 'lossmix', 'LossMixDetector', [2]),
        (FCOS, None, 'FCOS', [2]),
        (CASCADE, 'lossmix', 'LossMixDetector', [1, 2, 2, 2]),
        (FASTER, 'boxmix', 'FasterRCNN', [1, 2]),
        (SSDLITE, 'boxmix', 'SingleStageDetector', [2]),  # mmdet repeats its data
    ],
)
def test_it_is_built_with_the_classes_and_the_method(name, method, kind, counts):
    main(['mine', '--detector', name, *(['--mix', method] if method else [])])
    cfg = Config.fromfile('mine.py')
    assert cfg.model.type == kind
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    heads = [m for m in model.modules() if getattr(m, 'num_classes', -1) > 0]
    assert sorted(head.num_classes for head in heads) == counts
    mixers = cfg.model.data_preprocessor.get('batch_augments') or []
    assert len(mixers) == (method is not None)
    assert cfg.load_from.startswith('https://download.openmmlab.com/')
    assert cfg.default_hooks.report.type == 'RunReportHook'
    train = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(train) == 8
    assert tuple(train[0]['inputs'].shape)[0] == 3
    val = DATASETS.build(cfg.val_dataloader.dataset)
    assert 'instances' in val[0]['data_samples'].metainfo
    base = Config.fromfile(Config._get_cfg_path(name, '.')[0])
    batch = min(base.train_dataloader.batch_size, 8)  # there are 8 images
    assert cfg.train_dataloader.batch_size == batch
    lr = base.optim_wrapper.optimizer.lr * batch / base.auto_scale_lr.base_batch_size
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(lr, rel=5e-3)  # 3 digits
    assert cfg.train_cfg.max_epochs == 200


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (['mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py'], 'needs masks'),
        (['mmdet::yolox/yolox_s_8xb8-300e_coco.py'], 'MultiImageMixDataset'),
        ([FCOS, '--size', '300'], 'do not go with'),
        ([FCOS, '--mix', 'boxmix'], 'lossmix'),
        (['ssd30'], 'did you mean ssd300'),
    ],
)
def test_what_does_not_fit_is_refused(options, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        main(['mine', '--detector', *options])
    assert not (tmp_path / 'mine.py').exists()
