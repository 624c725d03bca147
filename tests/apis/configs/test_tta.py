"""``--tta``, against mmdet's own ``tools/test.py``."""

from __future__ import annotations

import importlib.util
import pickle
import sys
from pathlib import Path

import mmdet
import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmmix.apis.configs.apply_mix import apply_mix
from mmmix.apis.configs.tta import use_tta
from mmmix.commands import test as test_module
from tests.configs.tiny_data import write_voc

CLASSES = ('cat', 'dog', 'hen', 'pig')


@pytest.fixture
def stock():
    """mmdet's script, as a module."""
    path = Path(mmdet.__file__).parent / '.mim/tools/test.py'
    spec = importlib.util.spec_from_file_location('stock_test', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def config(root, **changes) -> dict:
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=(96, 96), keep_ratio=False),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(
            type='PackDetInputs',
            meta_keys=('img_id', 'ori_shape', 'img_shape', 'scale_factor'),
        ),
    ]
    dataset = dict(
        type='VOCDataset',
        data_root=str(root),
        ann_file='ImageSets/Main/test.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=CLASSES),
        test_mode=True,
        pipeline=pipeline,
    )
    model = dict(
        type='SingleStageDetector',
        data_preprocessor=dict(type='DetDataPreprocessor'),
        backbone=dict(type='ResNet', depth=18, base_channels=8, out_indices=(3,)),
        bbox_head=dict(
            type='RetinaHead',
            num_classes=4,
            in_channels=64,
            feat_channels=8,
            stacked_convs=1,
            anchor_generator=dict(
                type='AnchorGenerator', scales=[1], ratios=[1.0], strides=[32]
            ),
        ),
        test_cfg=dict(
            nms_pre=50,
            min_bbox_size=0,
            score_thr=0.0,
            nms=dict(type='nms', iou_threshold=0.5),
            max_per_img=10,
        ),
    )
    loader = dict(batch_size=1, num_workers=0, dataset=dataset)
    return dict(
        default_scope='mmdet',
        model=model,
        test_dataloader=loader,
        test_cfg=dict(),
        test_evaluator=dict(type='VOCMetric'),
        **changes,
    )


def test_detections_are_those_of_mmdet(stock, tmp_path, monkeypatch):
    write_voc(tmp_path / 'data', {'test': 'a'}, CLASSES)
    cfg = Config(config(tmp_path / 'data'))
    path = tmp_path / 'tta.py'
    cfg.dump(path)
    init_default_scope('mmdet')
    torch.manual_seed(0)
    checkpoint = str(tmp_path / 'model.pth')
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict()}, checkpoint)

    def run(main, name, *more):
        out = tmp_path / f'{name}.pkl'
        args = [str(path), checkpoint, '--work-dir', str(tmp_path / name)]
        monkeypatch.setattr(sys, 'argv', ['test.py', *args, '--out', str(out), *more])
        main()
        return pickle.loads(out.read_bytes())

    expected = run(stock.main, 'stock', '--tta')
    found = run(test_module.main, 'ours', '--tta')
    single = run(test_module.main, 'single')
    assert len(found) == 4
    for ours, theirs, once in zip(found, expected, single, strict=True):
        ours, theirs, once = (s['pred_instances'] for s in (ours, theirs, once))
        for key in ('bboxes', 'scores', 'labels'):
            assert torch.equal(ours[key], theirs[key])
        assert not torch.equal(ours['scores'][:5], once['scores'][:5])


@pytest.mark.parametrize('own', [False, True])
def test_config_is_that_of_mmdet(own, stock, tmp_path, monkeypatch):
    changes = {}
    if own:
        changes['tta_model'] = dict(type='DetTTAModel', tta_cfg=dict(max_per_img=7))
        changes['tta_pipeline'] = [dict(type='LoadImageFromFile')]
    base = Config(config(tmp_path, **changes))
    data = base.test_dataloader
    data.dataset = dict(type='RepeatDataset', times=2, dataset=data.dataset)
    base.dump(tmp_path / 'c.py')
    seen = []
    monkeypatch.setattr(stock.Runner, 'from_cfg', seen.append)
    monkeypatch.setattr(sys, 'argv', ['test.py', str(tmp_path / 'c.py'), 'x', '--tta'])
    # Without a Runner it stops there.
    with pytest.raises(AttributeError):
        stock.main()
    use_tta(base)
    assert base.model == seen[0].model
    theirs = seen[0].tta_pipeline
    if not own:  # the image before its mirror image
        theirs[-1]['transforms'][0].reverse()
    assert base.tta_pipeline == theirs
    assert base.test_dataloader.dataset.dataset.pipeline == base.tta_pipeline


def test_metrics_get_the_boxes_of_the_image_itself(tmp_path):
    write_voc(tmp_path / 'data', {'test': 'a'}, CLASSES)
    init_default_scope('mmdet')
    cfg = Config(config(tmp_path / 'data'))
    use_tta(cfg)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    model = MODELS.build(cfg.model).eval()
    for index in range(len(dataset)):
        batch = pseudo_collate([dataset[index]])
        (sample,) = model.test_step(batch)
        expected = [i['bbox'] for i in dataset.get_data_info(index)['instances']]
        assert sample.gt_instances.bboxes.tolist() == expected


def test_a_config_that_mixes_is_tested(tmp_path):
    write_voc(tmp_path / 'data', {'test': 'a'}, CLASSES)
    cfg = Config(config(tmp_path / 'data'))
    cfg.dump(tmp_path / 'mixes.py')
    init_default_scope('mmdet')
    apply_mix(cfg, 'boxmix')
    checkpoint = tmp_path / 'model.pth'
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict()}, checkpoint)
    out = tmp_path / 'out.pkl'
    args = [f'{tmp_path}/mixes.py+boxmix', str(checkpoint), '--work-dir', str(tmp_path)]
    test_module.main([*args, '--tta', '--out', str(out)])
    assert len(pickle.loads(out.read_bytes())) == 4


def test_what_metrics_need_is_packed_too(tmp_path):
    cfg = Config(config(tmp_path))
    cfg.test_dataloader.dataset.pipeline[-1].meta_keys = ('img_id', 'instances')
    use_tta(cfg)
    pack = cfg.test_dataloader.dataset.pipeline[-1].transforms[-1][0]
    assert pack.meta_keys[-2:] == ('flip_direction', 'instances')


def test_what_cannot_be_augmented():
    with pytest.raises(KeyError, match='test_dataloader'):
        use_tta(Config(dict(model=dict(type='RetinaNet'))))
    several = dict(dataset=dict(type='ConcatDataset', datasets=[]))
    with pytest.raises(ValueError, match='ConcatDataset has none'):
        use_tta(Config(dict(model=dict(type='RetinaNet'), test_dataloader=several)))
