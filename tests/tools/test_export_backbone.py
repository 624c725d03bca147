"""A classifier's backbone in a file that detectors load; mmpretrain is not needed."""

from __future__ import annotations

import errno
import os

import pytest
import torch
from mmdet.registry import MODELS

from mmmix.commands import export_detector
from mmmix.commands.export_backbone import backbone_weights


def classifier_of(backbone, prefix='backbone.'):
    state = {f'{prefix}{k}': v for k, v in backbone.state_dict().items()}
    return dict(meta={}, state_dict={**state, 'head.fc.weight': torch.zeros(3, 4)})


@pytest.fixture(scope='module')
def resnet():
    torch.manual_seed(0)
    return MODELS.build(dict(type='ResNet', depth=18, base_channels=4, stem_channels=4))


@pytest.mark.parametrize('prefix', ['backbone.', 'module.backbone.'])
def test_it_writes_the_backbones_names_and_weights(prefix, resnet, tmp_path, capsys):
    path = tmp_path / 'epoch_3.pth'
    torch.save(classifier_of(resnet, prefix), path)
    export_detector.main(['--backbone', str(path)])
    out = tmp_path / 'epoch_3_backbone.pth'
    assert str(out) in capsys.readouterr().out
    written = torch.load(out, weights_only=True)
    assert written['meta'] == {'exported_from': 'epoch_3.pth'}
    own = resnet.state_dict()
    assert written['state_dict'].keys() == own.keys()
    assert all(torch.equal(written['state_dict'][k], v) for k, v in own.items())
    assert not list(tmp_path.glob('*.tmp'))


def test_a_full_disk_leaves_nothing_half_written(resnet, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, 'no room')

    path = tmp_path / 'epoch_3.pth'
    torch.save(classifier_of(resnet), path)
    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', full)
        with pytest.raises(OSError, match='no room'):
            export_detector.main(['--backbone', str(path)])
        with pytest.raises(OSError, match='no room'):
            export_detector.write(tmp_path / 'detector.pth', {}, '')
    assert list(tmp_path.iterdir()) == [path]


def test_checkpoints_without_such_a_backbone_are_refused(tmp_path):
    with pytest.raises(ValueError, match='has no backbone'):
        backbone_weights({'state_dict': {'encoder.weight': torch.zeros(1)}})
    state = {'backbone.features.0.conv.weight': torch.zeros(1)}
    with pytest.raises(ValueError, match=r'has no conv1.weight and is no ResNet'):
        backbone_weights({'state_dict': state})
    with pytest.raises(FileNotFoundError):
        export_detector.main(['--backbone', str(tmp_path / 'no.pth')])
    with pytest.raises(SystemExit):
        export_detector.main(['--backbone', 'a.pth', '--out', 'b.txt'])


@pytest.mark.parametrize(
    ('name', 'shape', 'text'),
    [
        ('layer1.0.se_layer.conv1.conv.weight', (1, 4, 1, 1), 'they would drop it'),
        (
            'conv1.weight',
            (4, 3, 3, 3),
            r'\(4, 3, 3, 3\), and that of detectors',
        ),
    ],
)
def test_weights_that_detectors_would_drop_are_refused(name, shape, text, resnet):
    """SEResNet and ResNet_CIFAR: a detector's features would be others."""
    checkpoint = classifier_of(resnet)
    checkpoint['state_dict'][f'backbone.{name}'] = torch.zeros(shape)
    with pytest.raises(ValueError, match=text):
        backbone_weights(checkpoint)


def test_a_regnet_is_written_too():
    """Its stem is as small as that of ResNet_CIFAR, and detectors have it so."""
    arch = dict(w0=8, wa=8.0, wm=2.0, group_w=8, depth=6, bot_mul=1.0)
    own = MODELS.build(dict(type='RegNet', arch=arch)).state_dict()
    assert own['conv1.weight'].shape[2:] == (3, 3)
    weights = backbone_weights({f'backbone.{k}': v for k, v in own.items()})
    assert weights.keys() == own.keys()
