"""A label is one class in the model and in the data."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from mmmix.studies.trained.images.splits import build_split
from mmmix.studies.trained.models.loading import load_detector
from mmmix.testing.digits.settings import CLASSES
from tests.configs.tiny_data import write_image
from tests.studies.trained.conftest import tiny_study  # noqa: F401  a fixture

DIGITS = list(CLASSES)
COMMANDS = (
    *('calibration', 'compare_detections', 'image_intervals', 'in_between'),
    *('plot_flattening', 'robustness', 'transplant', 'uncertainty'),
)


@pytest.fixture
def swapped(tiny_study, tmp_path, monkeypatch):  # noqa: F811
    """A model to which the label 0 is 'one'."""
    monkeypatch.chdir(tiny_study.root)
    state = torch.load(tiny_study.spec.checkpoint)['state_dict']
    meta = dict(dataset_meta=dict(classes=('one', 'zero', *DIGITS[2:])))
    torch.save(dict(state_dict=state, meta=meta), tmp_path / 'swapped.pth')
    return tiny_study.spec._replace(checkpoint=str(tmp_path / 'swapped.pth'))


@pytest.mark.parametrize('command', COMMANDS)
def test_no_command_takes_one_class_for_another(swapped, tmp_path, command):
    main = runpy.run_module(f'mmmix.commands.{command}')['main']
    more = ['--patches', str(tmp_path)] if command == 'transplant' else []
    with pytest.raises(ValueError, match='one label would mean two classes'):
        main([str(swapped), '--out', str(tmp_path), '--device', 'cpu', *more])


@pytest.mark.parametrize(
    ('classes', 'said'),
    [
        (DIGITS, ''),
        ((), ''),
        (['zero', 'uno', *DIGITS[2:]], "in brackets: 'uno' ('one')"),
        (DIGITS[:9], None),
        ([*DIGITS, 'ten'], None),
        (['none', *DIGITS[:9]], None),
    ],
)
def test_other_names(tiny_study, monkeypatch, capsys, classes, said):  # noqa: F811
    monkeypatch.chdir(tiny_study.root)
    model = replace(tiny_study.detector, classes=classes)
    if said is None:
        with pytest.raises(ValueError, match='those of the model .*metainfo=dict'):
            build_split(model)
        return
    assert len(build_split(model)) == 4
    out = capsys.readouterr().out
    assert said in out
    assert bool(out) == bool(said)


def _coco(folder, order, kind='CocoDataset', classes=('cat', 'dog')):
    """A model that is tested on one image with a cat; ``order`` is that of the file."""
    write_image(folder / 'a.jpg', 0)
    ids = dict(cat=7, dog=90)
    box = dict(id=1, image_id=0, bbox=[10, 10, 20, 30], area=600, iscrowd=0)
    content = dict(
        images=[dict(id=0, file_name='a.jpg', width=180, height=160)],
        annotations=[dict(box, category_id=ids['cat'])],
        categories=[dict(id=ids[name], name=name) for name in order],
    )
    (folder / 'coco.json').write_text(json.dumps(content))
    data = dict(
        type=kind,
        data_root=str(folder),
        ann_file='coco.json',
        data_prefix=dict(img=''),
        metainfo=dict(classes=classes),
        test_mode=True,
        pipeline=[],
    )
    cfg = Config(dict(test_cfg={}, test_dataloader=dict(dataset=data)))
    return SimpleNamespace(cfg=cfg, classes=())


@pytest.mark.parametrize(
    ('order', 'kind'),
    [
        (['cat', 'dog'], 'CocoDataset'),
        (['cat', 'dog'], 'Objects365V1Dataset'),
        (['dog', 'cat'], 'Objects365V1Dataset'),
    ],
)
def test_a_file_of_coco_numbers_its_classes(tmp_path, order, kind):
    """In the order of its categories, whatever their ids; Objects365 by the ids."""
    (instance,) = build_split(_coco(tmp_path, order, kind)).get_data_info(0)[
        'instances'
    ]
    assert instance['bbox_label'] == 0


@pytest.mark.parametrize(
    ('classes', 'said'),
    [
        (
            ('cat', 'dog'),
            r"coco\.json.*file, 'dog', 'cat', and.* 'cat', 'dog': .*alike$",
        ),
        (('cat', 'Dog'), r"coco\.json.*no category 'Dog' \(did you mean 'dog'\?\)"),
    ],
)
def test_a_file_of_coco_numbers_them_otherwise(tmp_path, classes, said):
    with pytest.raises(ValueError, match=said):
        build_split(_coco(tmp_path, ['dog', 'cat'], classes=classes))


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (
            'val_cfg = val_dataloader = val_evaluator = None',
            'no val_dataloader; choose',
        ),
        (
            'd = _base_.val_dataloader.dataset\nval_dataloader = dict(dataset='
            'dict(_delete_=True, type="ConcatDataset", datasets=[d, d]))',
            'one data set without a wrapper, got ConcatDataset',
        ),
    ],
)
def test_no_data_and_several(tiny_study, tmp_path, monkeypatch, change, said):  # noqa: F811
    monkeypatch.chdir(tiny_study.root)
    (tmp_path / 'c.py').write_text(f'_base_ = {tiny_study.spec.config!r}\n{change}')
    spec = tiny_study.spec._replace(config=str(tmp_path / 'c.py'))
    with pytest.raises(ValueError, match=said):
        build_split(load_detector(spec), 'val')


def test_no_test(tiny_study, tmp_path):  # noqa: F811
    none = 'test_cfg = test_dataloader = test_evaluator = None'
    (tmp_path / 'c.py').write_text(f'_base_ = {tiny_study.spec.config!r}\n{none}')
    with pytest.raises(ValueError, match=r'c\.py has no test_dataloader, whose'):
        load_detector(tiny_study.spec._replace(config=str(tmp_path / 'c.py')))
