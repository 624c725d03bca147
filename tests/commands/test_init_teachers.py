"""Configs with a teacher for a folder and another one without labels."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config

from mmmix.apis.own_data import weights
from mmmix.commands.configs import main as list_configs
from mmmix.commands.init import main
from mmmix.models.teachers import MixedDomainTeacher, MixTeacher
from tests.apis.own_data.folders import stem_of, write_image, write_voc


@pytest.fixture(autouse=True)
def _folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, 'is_reachable', lambda url: False)
    write_voc(tmp_path / 'mine', lists=True)
    for number in range(3):
        write_image(tmp_path / 'bare' / f'{number}.jpg', 100 + number)


def filled(sample):
    """The branches that a sample has an image for."""
    return {name for name, image in sample['inputs'].items() if image is not None}


@pytest.mark.parametrize('option', ['--unlabelled', '--target'])
def test_images_that_have_labels_are_told(option, capsys, tmp_path):
    for number in (2, 9):  # one to train on, one for validation
        shutil.copy(
            tmp_path / 'mine' / 'JPEGImages' / f'{stem_of(number)}.png',
            tmp_path / 'bare' / f'copy{number}.png',
        )
    (tmp_path / 'bare' / 'link').symlink_to(tmp_path / 'mine' / 'JPEGImages')
    main(['mine', '--batch-size', '4', option, 'bare'])
    out = capsys.readouterr().out
    assert 'bare: 17 images without labels' in out
    assert '12 of the 17 images' in out
    assert '4 of the 17 images' in out
    assert 'figures will be too good' in out
    with pytest.raises(ValueError, match='labelled images and no other'):
        main(['mine', option, 'mine', '--out', 'other.py'])
    assert not Path('other.py').exists()


@pytest.mark.parametrize(
    ('options', 'kind', 'terms', 'branches'),
    [
        (
            ['--unlabelled', 'bare', '--mix', 'boxmix'],
            MixTeacher,
            {'sup', 'unsup', 'cross'},
            {'sup'},
        ),
        (['--unlabelled', 'bare'], MixTeacher, set(), {'sup'}),
        (
            ['--unlabelled', 'bare', '--detector', 'yolov3', '--mix', 'lossmix'],
            MixTeacher,
            {'sup', 'unsup', 'cross'},
            {'sup'},
        ),
        (['--target', 'bare'], MixedDomainTeacher, {'nst'}, {'sup', 'sup_weak'}),
        (
            ['--target', 'bare', '--mix', 'lossmix'],
            MixedDomainTeacher,
            {'mss', 'mtt', 'mst', 'nst'},
            {'sup', 'sup_weak'},
        ),
    ],
)
def test_a_teacher_is_built_with_its_data(options, kind, terms, branches):
    main(['mine', '--batch-size', '4', '--epochs', '10', *options])
    cfg = Config.fromfile('mine.py')
    model = MODELS.build(cfg.model)
    assert type(model) is kind
    assert set(cfg.model.get('mixers') or {}) == terms
    assert model.student.bbox_head.num_classes == 2
    data = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(data) == 8 + 3
    assert filled(data[0]) == branches
    assert filled(data[9]) == {'unsup_teacher', 'unsup_student'}
    assert cfg.train_dataloader.sampler.source_ratio == [2, 2]
    # 8 labelled images, two of them in a batch
    assert cfg.train_cfg.max_iters == 10 * 4
    (hook,) = (h for h in cfg.custom_hooks if h['type'] == 'MixTeacherHook')
    assert hook['burn_in'] == 10
    settings = cfg.model.semi_train_cfg
    ramp = settings.get('disc_ramp_up') or settings.ramp_up
    assert ramp == 8
    left = {'weak_view', 'strong_view', 'source_views', 'resize', 'labelled_pipeline'}
    assert not left & set(cfg)


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (['--unlabelled', 'bare', '--detector', 'faster-rcnn'], 'goes with'),
        (['--target', 'bare', '--detector', 'yolov3'], '--detector ssd300, got yolov3'),
        (['--target', 'bare', '--mix', 'boxmix'], 'takes one of lossmix'),
        (['--unlabelled', 'nowhere'], 'there is no folder'),
        (['--target', 'bare', '--batch-size', '3'], 'labelled; give 4 or more'),
        (['--unlabelled', 'mine/Annotations'], 'there is no image in it'),
    ],
)
def test_what_does_not_fit_is_refused(options, said, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        main(['mine', *options])
    assert not (tmp_path / 'mine.py').exists()


@pytest.mark.parametrize('option', ['--unlabelled', '--target'])
def test_configs_of_other_detectors_are_where_the_refusal_says(option, capsys):
    with pytest.raises(ValueError, match='`mmmix configs .* of others') as caught:
        main(['mine', option, 'bare', '--detector', 'faster-rcnn'])
    words = str(caught.value).split('`')[1].split()[2:]
    assert list_configs([*words, 'faster-rcnn']) == 0
    assert all(words[0] in line for line in capsys.readouterr().out.splitlines())
