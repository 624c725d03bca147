"""The whole way: a classifier trained with CutMix, exported, in a detector."""

from __future__ import annotations

import copy
import shutil

import pytest
import torch
from mmdet.registry import MODELS as DETECTORS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmmix.commands import export_detector, train
from tests.configs.config_cases import CONFIGS, load

from .tiny_data import write_imagenet

TINY = {'backbone.base_channels': 4, 'backbone.stem_channels': 4}
WIDTHS = (16, 32, 64, 128)
SHAPES = ('img_shape', 'pad_shape', 'batch_input_shape')


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """A file that `mmmix export --backbone` wrote of a run of r50_imagenet_cutmix."""
    root = tmp_path_factory.mktemp('run')
    write_imagenet(root / 'data/imagenet')
    options = {f'model.{key}': value for key, value in TINY.items()}
    options |= {
        'model.head.in_channels': WIDTHS[-1],
        'train_cfg.max_epochs': 1,
        'train_dataloader.batch_size': 2,
        'train_dataloader.num_workers': 0,
        'train_dataloader.dataset.data_root': root / 'data/imagenet',
        'train_dataloader.dataset.pipeline.1.scale': 32,
        'val_dataloader': None,
        'val_cfg': None,
        'val_evaluator': None,
    }
    given = [f'{key}={value}' for key, value in options.items()]
    config = str(CONFIGS / 'classification/r50_imagenet_cutmix.py')
    train.main([config, '--work-dir', str(root / 'work'), '--cfg-options', *given])
    out = root / 'checkpoints/resnet50_cutmix.pth'
    checkpoint = root / 'work/epoch_1.pth'
    export_detector.main(['--backbone', str(checkpoint), '--out', str(out)])
    trained = torch.load(checkpoint, weights_only=False)['state_dict']
    return out, trained


def shrunk(leaf: str) -> Config:
    """A leaf's model with the backbone of the tiny classifier."""
    model = copy.deepcopy(load(leaf).model)
    model.backbone.update(base_channels=4, stem_channels=4)
    stages = tuple(WIDTHS[stage] for stage in model.backbone.out_indices)
    if leaf.startswith('ssd'):
        model.neck.in_channels = stages
        model.neck.out_channels = (*stages, 512, 256, 256)
        model.bbox_head.in_channels = (*stages, 512, 256, 256)
    else:
        model.neck.in_channels = list(stages)
    return model


@pytest.mark.parametrize(
    'leaf',
    ['ssd300-r50_voc_cutmix-pretrained.py', 'faster-rcnn_r50_voc_cutmix-pretrained.py'],
)
def test_the_detector_starts_from_every_weight(leaf, exported, tmp_path, monkeypatch):
    out, trained = exported
    monkeypatch.chdir(tmp_path)
    shutil.copytree(out.parent, 'checkpoints')  # where the leaf looks for it
    init_default_scope('mmdet')
    detector = revert_sync_batchnorm(DETECTORS.build(shrunk(leaf)))
    before = detector.backbone.state_dict()
    before = {name: value.clone() for name, value in before.items()}
    detector.init_weights()
    after = detector.backbone.state_dict()
    own = {
        name.removeprefix('backbone.'): value
        for name, value in trained.items()
        if name.startswith('backbone.')
    }
    assert set(after) == set(own)
    assert all(torch.equal(after[name], value) for name, value in own.items())
    moved = [n for n in own if not torch.equal(before[n], own[n])]
    assert len(moved) > 100
    side = 300 if leaf.startswith('ssd') else 96
    sample = DetDataSample(metainfo=dict.fromkeys(SHAPES, (side, side)))
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[20.0, 30, 80, 90]]), labels=torch.tensor([3])
    )
    sample.ignored_instances = InstanceData(
        bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long)
    )
    losses = detector.loss(torch.randn(1, 3, side, side), [sample])
    loss, _ = detector.parse_losses(losses)
    loss.backward()
    assert torch.isfinite(loss)


def test_what_was_trained_differs_from_its_start(exported):
    _, trained = exported
    # the counters of the norms tell the steps: four images in batches of two
    assert int(trained['backbone.bn1.num_batches_tracked']) == 2
