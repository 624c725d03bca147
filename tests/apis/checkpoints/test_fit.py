"""Checkpoints of other models: refused, or named with what fits."""

from __future__ import annotations

import itertools

import pytest
import torch
from mmdet.models.backbones import PyramidVisionTransformer, SwinTransformer
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.model import BaseModule
from mmengine.runner import load_checkpoint
from torch import nn

from mmmix.apis.checkpoints.fit import ForeignCheckpointError, saved_metainfo
from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.commands import test as test_module
from mmmix.commands import train as train_module
from tests.toy_run import ToyModel, write_config

_COUNT = itertools.count()


def saved(path, state, **meta) -> str:
    torch.save({'state_dict': state, 'meta': meta}, path)
    return str(path)


def toy(folder, **changes) -> list[str]:
    config = write_config(folder, f'fit{next(_COUNT)}.py', **changes)
    return [config, '--work-dir', str(folder / 'run')]


FOREIGN = {'teacher.conv.weight': torch.zeros(1)}


def test_a_test_refuses_a_checkpoint_of_another_model(tmp_path):
    config, *more = toy(tmp_path)
    path = saved(tmp_path / 'other.pth', FOREIGN)
    with pytest.raises(ForeignCheckpointError) as caught:
        test_module.main([config, path, *more])
    message = str(caught.value)
    assert f'{path} is no checkpoint of this model: 0 of 6 tensors (0.0 %)' in message
    assert '6 missing: linear.weight, linear.bias, norm.weight and 3 more;' in message
    assert '1 unexpected: teacher.conv.weight' in message
    assert 'tools/model_converters/export_detector.py CONFIG CHECKPOINT' in message


@pytest.mark.parametrize('change', ['missing', 'unexpected', 'shape'])
def test_a_test_is_strict(change, tmp_path):
    config, *more = toy(tmp_path)
    state = ToyModel().state_dict()
    if change == 'missing':
        del state['norm.bias']
    elif change == 'unexpected':
        state['extra'] = torch.ones(1)
    else:
        state['linear.bias'] = torch.ones(3)
    words = {
        'missing': r'1 missing: norm\.bias\.',
        'unexpected': r'1 unexpected: extra\.',
        'shape': r'1 of another shape: linear\.bias, \[3\] instead of \[1\]',
    }
    path = saved(tmp_path / 'near.pth', state)
    with pytest.raises(ForeignCheckpointError, match=words[change]):
        test_module.main([config, path, *more])
    # Counters that old checkpoints lack make no difference.
    whole = ToyModel().state_dict()
    del whole['norm.num_batches_tracked']
    test_module.main([config, saved(tmp_path / 'whole.pth', whole), *more])


def test_training_refuses_a_start_of_which_nothing_fits(tmp_path):
    path = saved(tmp_path / 'other.pth', FOREIGN)
    with pytest.raises(ForeignCheckpointError, match='nothing for this ToyModel'):
        train_module.main(toy(tmp_path, load_from=path))
    init_cfg = dict(type='Pretrained', checkpoint=path)
    model = dict(type='ToyModel', init_cfg=init_cfg)
    with pytest.raises(ForeignCheckpointError, match=f'{path} has nothing'):
        train_module.main(toy(tmp_path, model=model))


def test_training_says_what_fits_of_its_start(tmp_path):
    state = {'linear.weight': torch.full((1, 1), 5.0), 'other': torch.ones(1)}
    path = saved(tmp_path / 'part.pth', state)
    rate = dict(optimizer=dict(type='SGD', lr=0.0))
    train_module.main(toy(tmp_path, load_from=path, optim_wrapper=rate))
    (log,) = (tmp_path / 'run').glob('*/*.log')
    words = f'WARNING - {path} fits 1 of 6 tensors (16.7 %) of ToyModel'
    assert words in log.read_text()
    kept = torch.load(tmp_path / 'run/epoch_2.pth', weights_only=False)['state_dict']
    assert kept['linear.weight'].item() == 5.0


def test_a_run_does_not_go_on_from_another_model(tmp_path):
    train_module.main(toy(tmp_path))
    content = torch.load(tmp_path / 'run/epoch_1.pth', weights_only=False)
    del content['state_dict']['linear.bias']
    torch.save(content, tmp_path / 'near.pth')
    with pytest.raises(ForeignCheckpointError, match=r'1 missing: linear\.bias'):
        train_module.main([*toy(tmp_path), '--resume', str(tmp_path / 'near.pth')])


class Part(BaseModule):
    def __init__(self, **init_cfg) -> None:
        super().__init__(init_cfg=dict(type='Pretrained', **init_cfg))
        self.conv = nn.Conv2d(1, 1, 1)


def test_a_prefix(tmp_path, logged):
    weight = torch.full((1, 1, 1, 1), 3.0)
    state = {'backbone.conv.weight': weight, 'backbone.conv.bias': torch.ones(1)}
    path = saved(tmp_path / 'whole.pth', {**state, 'head.conv.weight': weight})
    with install_safe_loading():
        part = Part(checkpoint=path, prefix='backbone.')
        part.init_weights()
        assert part.conv.weight.item() == 3.0
        with pytest.raises(ForeignCheckpointError, match='nothing for this Part'):
            Part(checkpoint=path, prefix='head.conv.').init_weights()
        with pytest.raises(ForeignCheckpointError, match='nothing for this Part'):
            Part(checkpoint=path).init_weights()
    assert not [r for r in logged.records if ' fits ' in r.getMessage()]


@pytest.mark.parametrize('kind', [SwinTransformer, PyramidVisionTransformer])
def test_backbones_that_load_by_themselves(kind, tmp_path):
    path = saved(tmp_path / 'other.pth', {'backbone.other': torch.ones(1)})
    init_cfg = ConfigDict(type='Pretrained', checkpoint=path)
    small = {'num_heads': (1, 1, 1, 1)}
    if kind is SwinTransformer:
        small |= dict(embed_dims=8, depths=(1, 1, 1, 1), window_size=2)
    else:
        small |= dict(embed_dims=8, num_layers=[1, 1, 1, 1], num_heads=[1, 1, 1, 1])
    backbone = kind(**small, convert_weights=False, init_cfg=init_cfg)
    with install_safe_loading(), pytest.raises(ForeignCheckpointError, match=path):
        backbone.init_weights()
    assert 'load_state_dict' not in vars(SwinTransformer)


def test_every_process_raises(tmp_path, monkeypatch):
    monkeypatch.setattr('mmengine.runner.checkpoint.get_dist_info', lambda: (1, 2))
    path = saved(tmp_path / 'other.pth', FOREIGN)
    with install_safe_loading():
        for strict in (True, False):
            with pytest.raises(ForeignCheckpointError):
                load_checkpoint(nn.Linear(1, 1), path, strict=strict)


HEADS = {
    'ssd': dict(
        type='SSDHead',
        in_channels=(4,),
        anchor_generator=dict(
            type='SSDAnchorGenerator',
            scale_major=False,
            input_size=300,
            basesize_ratio_range=(0.2, 0.9),
            strides=[8],
            ratios=[[2]],
        ),
    ),
    'retina': dict(type='RetinaHead', in_channels=4, feat_channels=4, stacked_convs=1),
    'rcnn': dict(
        type='Shared2FCBBoxHead',
        in_channels=1,
        fc_out_channels=4,
        roi_feat_size=1,
        loss_cls=dict(type='CrossEntropyLoss'),
    ),
    'yolo': dict(
        type='YOLOV3Head',
        in_channels=[4, 4, 4],
        out_channels=[4, 4, 4],
    ),
}


class Net(nn.Module):
    def __init__(self, head: str, classes: int) -> None:
        super().__init__()
        self.bbox_head = MODELS.build(dict(HEADS[head], num_classes=classes))


@pytest.mark.parametrize('head', HEADS)
def test_another_number_of_classes_is_said(head, tmp_path, logged):
    state = Net(head, 20).state_dict()
    for meta in ({}, {'dataset_meta': {'classes': tuple(map(str, range(20)))}}):
        path = saved(tmp_path / 'twenty.pth', state, **meta)
        words = 'It was trained for 20 classes, this model has 6'
        with install_safe_loading():
            with pytest.raises(ForeignCheckpointError, match=words):
                load_checkpoint(Net(head, 6), path, strict=True)
            load_checkpoint(Net(head, 6), path)
        assert words in logged.records[-1].getMessage()
        assert path in logged.records[-1].getMessage()


def test_a_teacher_takes_a_plain_checkpoint(tmp_path, logged):
    detector = dict(
        type='SingleStageDetector',
        backbone=dict(type='ResNet', depth=18, base_channels=8),
        bbox_head=dict(HEADS['retina'], num_classes=2, in_channels=64),
    )
    plain = MODELS.build(detector)
    teacher = MODELS.build(
        dict(type='SemiBaseDetector', detector=detector, semi_train_cfg=dict())
    )
    path = saved(tmp_path / 'plain.pth', plain.state_dict())
    with install_safe_loading():
        load_checkpoint(teacher, path, strict=True)
        other = saved(tmp_path / 'other.pth', {'conv.weight': torch.ones(1)})
        with pytest.raises(ForeignCheckpointError, match='has nothing'):
            load_checkpoint(teacher, other)
        both = saved(tmp_path / 'both.pth', teacher.state_dict())
        with pytest.raises(ForeignCheckpointError, match='holds a teacher and a stu'):
            load_checkpoint(plain, both, strict=True)
    for model in (teacher.teacher, teacher.student):
        assert torch.equal(
            model.bbox_head.retina_cls.weight, plain.bbox_head.retina_cls.weight
        )


def test_metainfo_of_parts_that_differ():
    """mmengine saves a list where the parts of a training set differ in it."""
    parts = [dict(), dict(classes=('cat', 'dog'), palette=[1, 2])]
    assert saved_metainfo(dict(dataset_meta=parts)) == parts[1]
    assert saved_metainfo(dict(dataset_meta=parts[1])) == parts[1]
    assert saved_metainfo({}) == {}
