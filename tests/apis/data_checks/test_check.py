"""The check of a whole run, and loops that would never end."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.runner import Runner

from mmmix.apis.data_checks import check, check_data, check_epochs_end
from mmmix.commands import test as test_command
from mmmix.commands import train as train_command
from tests.datasets.contents.broken import (
    coco_config,
    coco_content,
    voc_config,
    write_coco,
    write_voc,
    xml,
)
from tests.toy_run import toy_config


@pytest.fixture
def run(tmp_path):
    """Makes a Runner of the toy model with data sets of one's own."""
    register_all_modules()

    def make(train, val=None, **changes):
        config = copy.deepcopy(toy_config(tmp_path))
        config['custom_hooks'] = []
        config['work_dir'] = str(tmp_path / 'work')
        config['train_dataloader']['dataset'] = train
        val_loader = copy.deepcopy(config['val_dataloader'])
        val_loader['dataset'] = val or dict(train, test_mode=True)
        config['val_dataloader'] = config['test_dataloader'] = val_loader
        config.update(experiment_name=str(tmp_path), **changes)
        return Runner.from_cfg(Config(config))

    return make


def logged(runner):
    return ''.join(path.read_text() for path in Path(runner.log_dir).glob('*.log'))


def test_a_clean_run(run, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(check, 'print_log', lambda text, **_: said.append(text))
    write_voc(tmp_path)
    runner = run(voc_config(tmp_path))
    check_data(runner, ('train', 'val'))
    check_data(runner, ('test',))
    assert said == []


def test_sources_inside_wrappers_are_compared(run, tmp_path):
    write_voc(tmp_path / 'voc')
    content = coco_content()
    content['categories'].reverse()
    (tmp_path / 'coco').mkdir()
    write_coco(tmp_path / 'coco', content)
    parts = [voc_config(tmp_path / 'voc'), coco_config(tmp_path / 'coco')]
    for wrapper in (
        lambda inner: inner,
        lambda inner: dict(type='RepeatDataset', times=2, dataset=inner),
        lambda inner: dict(type='SeededDataset', dataset=inner),
        lambda inner: dict(
            type='MultiImageMixDataset', dataset=inner, pipeline=[dict(type='Mosaic')]
        ),
    ):
        both = dict(type='ConcatDataset', datasets=parts, ignore_keys=['palette'])
        runner = run(wrapper(both), voc_config(tmp_path / 'voc', test_mode=True))
        with pytest.raises(ValueError, match='classes would be swapped') as caught:
            check_data(runner, ('train', 'val'))
        assert 'datasets[1] (' in str(caught.value)
    balanced = dict(type='ClassBalancedDataset', dataset=parts[1], oversample_thr=0.1)
    runner = run(balanced, voc_config(tmp_path / 'voc', test_mode=True))
    with pytest.raises(ValueError, match=r'train_dataloader.dataset.dataset \(.*swapp'):
        check_data(runner, ('train', 'val'))


def test_a_misspelt_class(run, tmp_path):
    write_voc(tmp_path)
    config = voc_config(tmp_path)
    config['metainfo'] = dict(classes=('cat', 'Dog'))
    with pytest.raises(ValueError, match="class 'Dog' .did you mean 'dog'"):
        check_data(run(config), ('train', 'val'))
    config['metainfo'] = dict(classes=('Cat', 'Dog'))
    with pytest.raises(ValueError, match=r"what occurs .*'cat' \(1\), 'dog' \(1\)"):
        check_data(run(config), ('train', 'val'))


def test_warnings_are_logged(run, tmp_path):
    write_voc(tmp_path, names=b'a\na\n')
    write_voc(tmp_path / 'val', xml(name='<name>dog</name>'))
    runner = run(voc_config(tmp_path), voc_config(tmp_path / 'val', test_mode=True))
    check_data(runner, ('train', 'val'))
    text = logged(runner)
    assert 'train_dataloader.dataset' in text
    assert 'delete the repeats' in text
    assert "no object of the class 'cat'" in text


def test_a_training_set_that_keeps_no_box(run, tmp_path):
    """COCO files whose areas nobody computed train on background alone."""
    content = coco_content()
    for annotation in content['annotations']:
        annotation['area'] = 0
    write_coco(tmp_path, content)
    with pytest.raises(ValueError, match='train_dataloader.*no image has an object'):
        check_data(run(coco_config(tmp_path)), ('train',))
    content['annotations'][0]['area'] = 850
    write_coco(tmp_path, content)
    check_data(run(coco_config(tmp_path)), ('train',))


def test_a_training_set_of_an_unknown_kind_is_not_judged(run):
    numbers = toy_config('')['train_dataloader']['dataset']
    check_data(run(numbers, numbers), ('train',))


def test_settings(run, tmp_path):
    write_voc(tmp_path)
    (tmp_path / 'JPEGImages/a.jpg').unlink()
    runner = run(voc_config(tmp_path))
    with pytest.raises(FileNotFoundError, match='a.jpg'):
        check_data(runner, ('train', 'val'))
    check_data(
        run(voc_config(tmp_path), data_checks=dict(sampled_images=0)), ('train',)
    )
    runner = run(voc_config(tmp_path), data_checks=dict(max_boxes=0))
    with pytest.raises(ValueError, match='the limit is 0'):
        check_data(runner, ('train', 'val'))
    runner = run(voc_config(tmp_path), data_checks=dict(boxes=3))
    with pytest.raises(KeyError, match='max_boxes'):
        check_data(runner, ('train', 'val'))


def test_metrics_read_the_same_order(run, tmp_path):
    write_voc(tmp_path)
    content = coco_content()
    content['categories'].reverse()
    write_coco(tmp_path, content)
    metric = dict(type='CocoMetric', ann_file=str(tmp_path / 'train.json'))
    runner = run(voc_config(tmp_path), val_evaluator=metric, test_evaluator=metric)
    with pytest.raises(ValueError, match='val_evaluator: the file of CocoMetric'):
        check_data(runner, ('train', 'val'))


def test_metrics_judge_the_same_images(run, tmp_path):
    write_coco(tmp_path, coco_content())
    data, metric = coco_config(tmp_path), dict(type='CocoMetric')
    same = dict(metric, ann_file=str(tmp_path / 'train.json'))
    runner = run(data, val_evaluator=same, test_evaluator=same)
    check_data(runner, ('train', 'val'))
    for change in (dict(file_name='z.jpg'), dict(id=77)):
        content = coco_content()
        content['images'][-1].update(change)
        (tmp_path / 'other').mkdir(exist_ok=True)
        write_coco(tmp_path / 'other', content)
        other = dict(metric, ann_file=str(tmp_path / 'other/train.json'))
        runner = run(data, val_evaluator=other, test_evaluator=other)
        with pytest.raises(ValueError, match='val_evaluator: .* of other images'):
            check_data(runner, ('train', 'val'))


def sampled(kind, **settings):
    return dict(
        batch_size=2,
        num_workers=0,
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='ToyDataset'),
        sampler=dict(type=kind, **settings),
    )


def test_an_endless_sampler_needs_a_loop_over_iterations(run, tmp_path):
    toy = dict(type='ToyDataset')
    loader = sampled('MixSourceSampler', batch_size=2, source_ratio=[1, 1])
    write_voc(tmp_path)
    parts = [voc_config(tmp_path), voc_config(tmp_path)]
    loader['dataset'] = dict(type='ConcatDataset', datasets=parts)
    for endless in (loader, sampled('InfiniteSampler')):
        runner = run(toy, toy, train_dataloader=endless)
        with pytest.raises(ValueError, match='IterBasedTrainLoop') as caught:
            check_epochs_end(runner, ('train', 'val'))
        assert endless['sampler']['type'] in str(caught.value)
        by_iteration = dict(type='IterBasedTrainLoop', max_iters=4, val_interval=2)
        runner = run(toy, toy, train_dataloader=endless, train_cfg=by_iteration)
        check_epochs_end(runner, ('train', 'val'))
    runner = run(toy, toy, test_dataloader=sampled('InfiniteSampler'))
    check_epochs_end(runner, ('train', 'val'))
    with pytest.raises(ValueError, match="test_dataloader=dict.*'DefaultSampler'"):
        check_epochs_end(runner, ('test',))


def test_an_endless_sampler_inside_a_batch_sampler(run, tmp_path):
    write_voc(tmp_path)
    loader = sampled('InfiniteSampler')
    loader['batch_sampler'] = dict(type='AspectRatioBatchSampler')
    loader['dataset'] = voc_config(tmp_path)
    runner = run(dict(type='ToyDataset'), train_dataloader=loader)
    with pytest.raises(ValueError, match='InfiniteSampler draws without end'):
        check_epochs_end(runner, ('train',))


def test_the_commands_check_unless_they_are_told_not_to(run, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(Runner, 'train', lambda self: calls.append('train'))
    monkeypatch.setattr(Runner, 'test', lambda self: calls.append('test'))
    monkeypatch.setattr(train_command, '_where', lambda runner: '')
    monkeypatch.setattr(test_command, 'existing_checkpoint', lambda path: path)
    write_voc(tmp_path)
    wrong = voc_config(tmp_path)
    wrong['metainfo'] = dict(classes=('Cat', 'Dog'))
    config = run(dict(wrong, filter_cfg=None)).cfg
    file = tmp_path / 'config.py'
    config.dump(file)
    work = ['--work-dir', str(tmp_path / 'work')]
    for command, arguments, words in (
        (train_command, [], "no annotation has the class 'Cat' .did you mean 'cat'"),
        (test_command, ['none.pth'], 'has no object of any class'),
    ):
        with pytest.raises(ValueError, match=words):
            command.main([str(file), *arguments, *work])
        assert not calls
        command.main([str(file), *arguments, *work, '--no-check'])
        assert calls.pop()
