"""Models of the command line see images as mmdet's own data pipeline shows them."""

from __future__ import annotations

import argparse
import copy

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmmix.studies.trained.images.splits import build_split, split_settings
from mmmix.studies.trained.models.arguments import (
    ModelSpec,
    add_model_arguments,
    parse_model,
)
from mmmix.studies.trained.models.fingerprint import fingerprint
from mmmix.studies.trained.models.loading import (
    load_detector,
    load_detectors,
    say_other_seeds,
)
from mmmix.studies.trained.models.prediction import predict
from tests.apis.safe_loading.poisons import poison


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a=dir/c.py@x/e=1.pth', ('a', 'dir/c.py', 'x/e=1.pth')),
        ('dir/c.py@x.pth', ('c', 'dir/c.py', 'x.pth')),
        (
            'mmmix::demo/c.py@http://u@h/x.pth',
            ('c', 'mmmix::demo/c.py', 'http://u@h/x.pth'),
        ),
        ('Box Mix=c.py@x.pth', ('Box Mix', 'c.py', 'x.pth')),
    ],
)
def test_model_of_the_command_line(text, expected):
    assert parse_model(text) == expected
    assert parse_model(str(parse_model(text))) == expected


@pytest.mark.parametrize('text', ['c.py', '@x.pth', 'c.py@', 'a=@x.pth', '=c.py@x.pth'])
def test_no_model(text, capsys):
    with pytest.raises(ValueError, match='CONFIG@CHECKPOINT'):
        parse_model(text)
    parser = argparse.ArgumentParser()
    add_model_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([text, '--out', 'x'])
    assert 'CONFIG@CHECKPOINT; got' not in capsys.readouterr().out


def test_an_image_that_the_pipeline_skips_is_named(tiny_study, tmp_path, monkeypatch):
    (tmp_path / 'a.png').write_text('text')
    monkeypatch.setattr(tiny_study.detector._load, 'ignore_empty', True)
    with pytest.raises(ValueError, match=r'a\.png cannot be read'):
        tiny_study.detector.read_image(dict(img_path=str(tmp_path / 'a.png')))


def test_predictions_are_those_of_the_data_pipeline(tiny_study, monkeypatch):
    monkeypatch.chdir(tiny_study.root)
    detector = tiny_study.detector
    dataset = build_split(detector, 'test', 3)
    assert len(dataset) == 3
    infos = [dataset.get_data_info(index) for index in range(3)]
    images = [detector.read_image(info) for info in infos]
    assert (images[1] == cv2.imread(infos[1]['img_path'])).all()
    found = predict(detector, images, infos, batch_size=3)
    packed = [dataset[index] for index in range(3)]
    data = {key: [item[key] for item in packed] for key in packed[0]}
    with torch.no_grad():
        expected = detector.model.test_step(data)
    for ours, theirs, info in zip(found, expected, infos):
        assert len(ours.pred_instances) > 0
        for field in ('bboxes', 'scores', 'labels'):
            torch.testing.assert_close(
                ours.pred_instances[field], theirs.pred_instances[field]
            )
        assert ours.img_id == theirs.img_id
        assert ours.ori_shape == (160, 180)
        assert ours.instances == info['instances']
        assert ours.gt_instances.bboxes.tolist() == [[40, 30, 120, 130]]
    # Other sums of a convolution may change the order of like scores, no more.
    for ours, theirs in zip(predict(detector, images, infos, batch_size=2), found):
        assert ours.img_id == theirs.img_id
        torch.testing.assert_close(
            ours.pred_instances.scores, theirs.pred_instances.scores
        )
    with pytest.raises(ValueError, match='3 images came with 2 infos'):
        predict(detector, images, infos[:2])


def test_given_pixels_count_not_the_file(tiny_study, monkeypatch):
    monkeypatch.chdir(tiny_study.root)
    dataset = build_split(tiny_study.detector, 'val', 1)
    info = dataset.get_data_info(0)
    pixels = np.full((90, 60, 3), 7, np.uint8)
    packed = tiny_study.detector.pack(pixels, info)
    assert (packed['inputs'] == 7).all()
    assert packed['inputs'].shape == (3, 160, 160)
    assert packed['data_samples'].ori_shape == (90, 60)
    assert 'img' not in info


def test_loaded_detector(tiny_study):
    detector = tiny_study.detector
    assert not any(module.training for module in detector.model.modules())
    assert not any(p.requires_grad for p in detector.model.parameters())
    np.testing.assert_allclose(detector.mean, [123.675, 116.28, 103.53])
    np.testing.assert_allclose(detector.std, [58.395, 57.12, 57.375])
    assert detector.bgr_to_rgb
    assert detector.classes[:2] == ('zero', 'one')
    options = {'model.data_preprocessor.bgr_to_rgb': False}
    other = load_detector(tiny_study.spec, cfg_options=options)
    assert not other.bgr_to_rgb
    assert fingerprint(other) != fingerprint(detector)
    assert fingerprint(detector) == fingerprint(load_detector(tiny_study.spec))


@pytest.mark.parametrize('name', ['score_thr', 'min_score'])
@pytest.mark.parametrize(
    ('least', 'options', 'expected'),
    [
        (0.001, {}, 0.001),
        (0.3, {}, 0.02),
        (0.001, {'model.test_cfg.score_thr': 0.1}, 0.1),
    ],
)
def test_a_score_that_is_wanted_is_not_dropped(
    tiny_study, least, options, expected, name
):
    args = argparse.Namespace(
        models=[tiny_study.spec],
        device='cpu',
        cfg_options=options,
        trust_checkpoint=False,
        **{name: least},
    )
    one = load_detector(tiny_study.spec, 'cpu', options, score_thr=least)
    for detector in (one, *load_detectors(args)):
        assert detector.model.bbox_head.test_cfg.score_thr == expected


def test_a_training_is_no_two_seeds(tiny_study, monkeypatch):
    monkeypatch.chdir(tiny_study.root)
    again = tiny_study.spec._replace(checkpoint='tiny.pth')
    args = argparse.Namespace(
        models=[tiny_study.spec, again],
        device='cpu',
        cfg_options=None,
        trust_checkpoint=False,
    )
    with pytest.raises(ValueError, match='given twice, and would count as two seeds'):
        load_detectors(args)
    args.models[1] = again._replace(name='other')
    assert [detector.name for detector in load_detectors(args)] == ['tiny', 'other']


def test_a_copied_training_is_no_two_seeds(tiny_study, monkeypatch, tmp_path):
    """Nor one that was saved anew with less beside the weights."""
    monkeypatch.chdir(tiny_study.root)
    saved = torch.load(tiny_study.spec.checkpoint)
    torch.save({**saved, 'meta': {}}, tmp_path / 'anew.pth')
    key = next(reversed(saved['state_dict']))
    saved['state_dict'][key] = saved['state_dict'][key] + 1
    torch.save(saved, tmp_path / 'seed.pth')
    spec = tiny_study.spec
    copied = spec._replace(checkpoint=str(tmp_path / 'anew.pth'))
    args = argparse.Namespace(
        models=[spec, spec._replace(checkpoint=str(tmp_path / 'seed.pth')), copied],
        device='cpu',
        cfg_options=None,
        trust_checkpoint=False,
    )
    said = r'tiny\.pth and .*anew\.pth have the same weights.* two seeds of tiny; give'
    with pytest.raises(ValueError, match=said):
        load_detectors(args)
    args.models[2] = copied._replace(name='other')
    assert len(load_detectors(args)) == 3


@pytest.mark.parametrize(
    ('seeds', 'said'),
    [
        ([0, 1], ''),
        ([1, 2], 'b is of seed_1, seed_2, and a of seed_0, seed_1: differences pair'),
        ([1, 0], 'b is of seed_1, seed_0, and a of seed_0, seed_1: differences pair'),
        ([1], ''),  # not paired
        (['x', 'y'], ''),
    ],
)
def test_models_of_other_seeds_are_not_paired_in_silence(seeds, said, capsys):
    models = [('a', 0), ('a', 1), *(('b', seed) for seed in seeds)]
    specs = [ModelSpec(name, 'c.py', f'w/seed_{seed}/e.pth') for name, seed in models]
    if 'x' in seeds:
        specs[2:] = [ModelSpec('b', 'c.py', f'{seed}/e.pth') for seed in seeds]
    say_other_seeds(specs)
    out = capsys.readouterr().out
    assert said in out
    assert bool(said) == bool(out)


def test_checkpoints_of_other_models(tiny_study, tmp_path):
    state = torch.load(tiny_study.spec.checkpoint)['state_dict']
    state.pop('bbox_head.cls_convs.0.0.bias')
    torch.save({'state_dict': state}, tmp_path / 'part.pth')
    spec = ModelSpec('part', tiny_study.spec.config, str(tmp_path / 'part.pth'))
    lost = r'part\.pth is no checkpoint .*1 missing: bbox_head\.cls_convs\.0\.0\.bias\.'
    with pytest.raises(ValueError, match=lost):
        load_detector(spec)
    poison(tiny_study.spec.checkpoint, tmp_path / 'poison.pth', 'buffer-mean')
    with pytest.raises(ValueError, match='a log buffer of more than numbers'):
        load_detector(spec._replace(checkpoint=str(tmp_path / 'poison.pth')))
    assert HistoryBuffer([4.0, 2.0], [1, 1]).statistics('mean') == 3.0
    with pytest.raises(FileNotFoundError, match=r'no checkpoint at .*none\.pth'):
        load_detector(spec._replace(checkpoint=str(tmp_path / 'none.pth')))
    state = torch.load(tiny_study.spec.checkpoint)['state_dict']
    meta = {'dataset_meta': {'CLASSES': tuple('abcdefghij')}}
    torch.save({'state_dict': state, 'meta': meta}, tmp_path / 'named.pth')
    named = spec._replace(checkpoint=str(tmp_path / 'named.pth'))
    args = argparse.Namespace(
        models=[tiny_study.spec, named],
        device='cpu',
        cfg_options=None,
        trust_checkpoint=False,
    )
    with pytest.raises(ValueError, match="must detect the same classes.*'a', 'b'"):
        load_detectors(args)


def test_classes_of_a_checkpoint_of_several_sets(tiny_study, tmp_path):
    """Trained on parts whose metainfo differs, it keeps a list of theirs."""
    state = torch.load(tiny_study.spec.checkpoint)['state_dict']
    names = tuple('abcdefghij')
    parts = [dict(classes=names, year=year) for year in (2007, 2012)]
    path = tmp_path / 'parts.pth'
    torch.save({'state_dict': state, 'meta': {'dataset_meta': parts}}, path)
    spec = tiny_study.spec._replace(checkpoint=str(path))
    assert load_detector(spec).classes == names


def test_classes_that_nobody_names(tiny_study, tmp_path):
    """The toy's checkpoint has no names, so that those of the data set's kind count."""
    assert load_detector(tiny_study.spec).classes[-1] == 'nine'
    config = tmp_path / 'nameless.py'
    data = 'dict(type="BaseDetDataset", metainfo=dict(_delete_=True))'
    names = f'test_dataloader = dict(dataset={data})'
    config.write_text(f'_base_ = {tiny_study.spec.config!r}\n{names}\n')
    with pytest.raises(ValueError, match=r'nameless\.py: neither .*metainfo=dict'):
        load_detector(tiny_study.spec._replace(config=str(config)))
    options = {'test_dataloader.dataset.metainfo.classes': ('a', 'b')}
    spec = tiny_study.spec._replace(config=str(config))
    assert load_detector(spec, cfg_options=options).classes == ('a', 'b')


def test_wrong_splits(tiny_study, monkeypatch, tmp_path):
    model = tiny_study.detector
    for wrong in (('train', None), ('test', 0)):
        with pytest.raises(ValueError, match='expected split among'):
            build_split(model, *wrong)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match='data not found'):
        build_split(model, 'test')


def test_settings_tell_data_apart(tiny_study, monkeypatch):
    monkeypatch.chdir(tiny_study.root)
    args = argparse.Namespace(split='test', cfg_options=None)
    dataset = build_split(tiny_study.detector, 'test', 2)
    settings = split_settings(args, dataset)
    annotations = settings.pop('annotations')
    assert settings == dict(
        split='test',
        images=2,
        data='data/digits/ImageSets/Main/test.txt',
        cfg_options=None,
    )
    infos = [copy.deepcopy(dataset.get_data_info(index)) for index in range(2)]
    monkeypatch.setattr(dataset, 'get_data_info', infos.__getitem__)
    assert split_settings(args, dataset)['annotations'] == annotations
    (instance,) = infos[1]['instances']
    for change in (dict(bbox=[1, 2, 3, 4]), dict(bbox_label=7), dict(ignore_flag=1)):
        before = dict(instance)
        instance.update(change)
        assert split_settings(args, dataset)['annotations'] != annotations, change
        instance.update(before)
    infos.reverse()
    assert split_settings(args, dataset)['annotations'] != annotations
