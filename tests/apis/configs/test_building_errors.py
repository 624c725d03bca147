"""Configs of which something cannot be built, and what is said of them."""

from __future__ import annotations

import pytest
from mmdet.models import RetinaHead
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmix.apis.configs.building_errors import told_with_key
from mmmix.apis.plain_errors import said_by_us
from mmmix.apis.run_checks.batch import build_model
from mmmix.commands import train
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.loading import load_detector
from tests.toy_run import write_config

HEAD = dict(type='RetinaHead', num_classes=2, in_channels=4)


@pytest.fixture(autouse=True)
def _file(tmp_path, monkeypatch):
    """The file that configs have been read of."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.py').touch()


def refused(kind: type[Exception], head: dict) -> str:
    """What is said of a detector whose head cannot be built."""
    init_default_scope('mmdet')
    model = dict(type='RetinaNet', backbone=dict(type='ResNet', depth=18), neck=None)
    cfg = Config(dict(model=dict(model, bbox_head=head)), filename='mine.py')
    with pytest.raises(kind) as caught, told_with_key(cfg):
        MODELS.build(cfg.model)
    assert said_by_us(caught.value)
    return str(caught.value.args[0])


@pytest.mark.parametrize(
    ('changed', 'said', 'place'),
    [
        # By the class that mmdet hands it on to, and by the registry.
        (
            {'foo': 1},
            "AnchorHead.__init__() got an unexpected keyword argument 'foo'",
            'foo',
        ),
        (
            {'loss_cls': dict(type='FocalLoss', gama=2)},
            "FocalLoss.__init__() got an unexpected keyword argument 'gama'",
            'loss_cls.gama',
        ),
    ],
)
def test_keys_that_nothing_takes(changed, said, place):
    text = refused(TypeError, HEAD | changed)
    assert text.startswith(f'mine.py: {said}')
    assert text.endswith(f' (see model.bbox_head.{place})')


@pytest.mark.parametrize('kind', ['RetinaHead', 'mmdet.RetinaHead', RetinaHead])
def test_keys_that_are_missing(kind):
    text = refused(TypeError, dict(type=kind, in_channels=4))
    assert 'RetinaHead.__init__() missing 1 required' in text
    assert text.endswith("'num_classes' (see model.bbox_head.type)")


@pytest.mark.parametrize('kind', ['RetinaHed', 'mmdet.RetinaHed'])
def test_types_that_are_not_registered(kind):
    assert refused(KeyError, HEAD | {'type': kind}) == (
        f'mine.py: {kind} is not in the mmdet::model registry '
        '(see model.bbox_head.type)'
    )


def test_other_errors_stay():
    cfg = Config(dict(model=dict(type='RetinaNet', depth=18)))
    for error in (
        TypeError("f() got an unexpected keyword argument 'depth'"),
        TypeError("A.__init__() got an unexpected keyword argument 'width'"),
        TypeError("unsupported operand type(s) for +: 'int' and 'str'"),
        KeyError('depth'),
        ValueError("A.__init__() got an unexpected keyword argument 'depth'"),
    ):
        with pytest.raises(type(error)) as caught, told_with_key(cfg):
            raise error
        assert caught.value is error
    with pytest.raises(KeyError, match='NoCoder') as caught, told_with_key(cfg):
        TASK_UTILS.build(dict(type='NoCoder'))
    assert not said_by_us(caught.value)


def test_a_check_of_a_config_says_it(tmp_path):
    cfg = Config.fromfile(write_config(tmp_path))
    cfg.model.nrm = 'BN'
    runner, (fault,) = build_model(cfg, str(tmp_path))
    assert runner is None
    assert fault.text.endswith("keyword argument 'nrm' (see model.nrm)")


def test_a_trained_model_says_it(tmp_path):
    config = write_config(tmp_path, test_dataloader=dict())
    (tmp_path / 'x.pth').touch()
    spec = ModelSpec('toy', config, str(tmp_path / 'x.pth'))
    with pytest.raises(TypeError, match=r"'nrm' \(see model.nrm\)") as caught:
        load_detector(spec, cfg_options={'model.nrm': 'BN'})
    assert said_by_us(caught.value)


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ('model.nrm=BN', "keyword argument 'nrm'"),
        ('optim_wrapper.optimizer.rate=1', "keyword argument 'rate'"),
        ('train_dataloader.dataset.type=Toys', 'Toys is not in the mmdet::dataset'),
    ],
)
def test_a_training_says_it_in_a_line(options, said, tmp_path, monkeypatch, capsys):
    config = write_config(tmp_path)
    words = ['train.py', config, '--work-dir', str(tmp_path), '--cfg-options', options]
    monkeypatch.setattr('sys.argv', words)
    with pytest.raises(SystemExit):
        train.run()
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f'train.py: {config}: ')
    assert said in line
    assert line.endswith(f'(see {options.partition("=")[0]})')
