"""``train`` and ``test`` as a user runs them, on a toy model."""

from __future__ import annotations

import itertools
import json
import pickle
import sys
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from mmmix.apis.checkpoints.loading import UnsafeCheckpointError
from mmmix.apis.checkpoints.resume import DamagedCheckpointError
from mmmix.commands import test as test_module
from mmmix.commands import train as train_module
from tests.apis.safe_loading.planted import PLANTS, plant
from tests.apis.safe_loading.poisons import poison
from tests.toy_run import toy_config, write_config

_COUNT = itertools.count()


class Folder:
    """A working directory and the runs in it.

    Every run has a config of another name, since mmengine identifies a run by
    its config's name and the second it starts in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / 'run'

    def config(self, **changes) -> str:
        return write_config(self.path, f'toy{next(_COUNT)}.py', **changes)

    def train(self, *args, **changes) -> dict:
        """Train and return what the model was like in the end."""
        config = self.config(**changes)
        train_module.main([config, '--work-dir', str(self.run), *map(str, args)])
        return json.loads((self.path / 'rank0.json').read_text())

    def test(self, checkpoint, *args, **changes) -> None:
        work_dir = ['--work-dir', str(self.run)]
        arguments = [self.config(**changes), str(checkpoint), *work_dir]
        test_module.main([*arguments, *map(str, args)])

    def log(self) -> str:
        """The text of the newest log file."""
        logs = sorted(self.run.glob('*/*.log'), key=lambda path: path.stat().st_mtime)
        return logs[-1].read_text()


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A finished run of two epochs, not to be changed."""
    folder = Folder(tmp_path_factory.mktemp('trained'))
    folder.seen = folder.train('--seed', 1)
    return folder


@pytest.fixture
def copied(trained, folder):
    """The same, to be changed."""
    folder.run.mkdir()
    for path in trained.run.glob('*.pth'):
        (folder.run / path.name).write_bytes(path.read_bytes())
    (folder.run / 'last_checkpoint').write_text(str(folder.run / 'epoch_2.pth'))
    folder.seen = trained.seen
    return folder


def test_last_line_says_where_everything_is(trained):
    last = trained.log().strip().splitlines()[-1]
    (log_dir,) = (path for path in trained.run.iterdir() if path.is_dir())
    assert f'Done. Checkpoints: {trained.run}. Log: {log_dir}' in last


def test_checkpoints_tell_how_the_run_mixes(trained):
    saved = torch.load(trained.run / 'epoch_1.pth', weights_only=False)
    assert saved['meta']['mixers'] == []


def test_resume_ends_where_the_whole_run_ends(trained, folder):
    checkpoint = trained.run / 'epoch_1.pth'
    seen = folder.train('--resume', checkpoint, '--seed', 1)
    assert seen == trained.seen
    assert seen['iter'] == 8
    resumed, whole = (
        torch.load(run / 'epoch_2.pth', weights_only=False)
        for run in (folder.run, trained.run)
    )
    assert resumed['optimizer']['state'].keys() == whole['optimizer']['state'].keys()
    history = resumed['message_hub']['log_scalars']['train/loss'].data[0]
    assert len(history) == 8
    assert history.tolist() == pytest.approx(
        whole['message_hub']['log_scalars']['train/loss'].data[0].tolist(), rel=1e-6
    )


def test_resume_auto_takes_the_last(copied):
    more = dict(train_cfg=dict(by_epoch=True, max_epochs=3))
    assert copied.train('--resume', **more)['iter'] == 12
    assert f'Load checkpoint from {copied.run}/epoch_2.pth' in copied.log()


def test_resume_with_nothing_there_starts_from_scratch(folder, capfd):
    assert folder.train('--resume', '--seed', 1)['iter'] == 8
    assert f'No checkpoint in {folder.run}: training starts from scratch' in (
        ''.join(capfd.readouterr())
    )


def test_resume_from_a_truncated_checkpoint_loses_nothing(copied, capfd):
    last, first = copied.run / 'epoch_2.pth', copied.run / 'epoch_1.pth'
    last.write_bytes(last.read_bytes()[:1000])
    assert copied.train('--resume', '--seed', 1) == copied.seen
    said = ''.join(capfd.readouterr())
    assert f'{last} has 1000 bytes and is cut short: going on from {first}' in said
    assert f'Load checkpoint from {first}' in copied.log()


def test_resume_without_a_whole_checkpoint_changes_nothing(copied):
    for path in copied.run.glob('*.pth'):
        path.write_bytes(path.read_bytes()[:1000])
    before = {path: path.read_bytes() for path in copied.run.glob('*.pth')}
    with pytest.raises(DamagedCheckpointError, match='no other intact checkpoint'):
        copied.train('--resume')
    assert {path: path.read_bytes() for path in copied.run.glob('*.pth')} == before


@pytest.mark.parametrize('how', [*PLANTS, 'buffer-mean'])
@pytest.mark.parametrize('way', ['resume', 'auto', 'load_from', 'pretrained', 'test'])
def test_planted_command_does_not_run(way, how, copied):
    path = copied.run / 'epoch_9.pth'
    trace = copied.run / 'epoch_9.ran'
    if how in PLANTS:
        plant(copied.run / 'epoch_1.pth', path, how)
    else:
        poison(copied.run / 'epoch_1.pth', path, how)
    (copied.run / 'last_checkpoint').write_text(str(path))
    init_cfg = dict(type='Pretrained', checkpoint=str(path))
    ways = {
        'resume': lambda: copied.train('--resume', path),
        'auto': lambda: copied.train('--resume'),
        'load_from': lambda: copied.train(load_from=str(path)),
        'pretrained': lambda: copied.train(
            model=dict(type='ToyModel', init_cfg=init_cfg)
        ),
        'test': lambda: copied.test(path),
    }
    with pytest.raises(UnsafeCheckpointError, match=f'{path}.*--trust-checkpoint'):
        ways[way]()
    assert not trace.exists()
    assert HistoryBuffer([4.0, 2.0], [1, 1]).statistics('mean') == 3.0


def test_config_text_of_a_resumed_checkpoint_does_not_run(copied):
    path, trace = copied.run / 'epoch_1.pth', copied.path / 'ran'
    content = torch.load(path, weights_only=False)
    content['meta']['config'] = f'__import__("os").system("touch {trace}")'
    torch.save(content, path)
    assert copied.train('--resume', path, '--seed', 1) == copied.seen
    assert not trace.exists()
    copied.train('--resume', path, '--trust-checkpoint')
    assert trace.exists()


def test_trusted_checkpoint_loads_whatever_it_holds(copied):
    path = copied.run / 'epoch_9.pth'
    trace = plant(copied.run / 'epoch_1.pth', path, 'system')
    copied.test(path, '--trust-checkpoint')
    assert trace.exists()
    trace.unlink()
    assert copied.train('--resume', path, '--trust-checkpoint', '--seed', 1) == (
        copied.seen
    )
    assert trace.exists()


def test_loading_is_stock_again_after_a_command(trained, folder):
    stock = CheckpointLoader.__dict__['load_checkpoint']
    folder.test(trained.run / 'epoch_2.pth')
    assert CheckpointLoader.__dict__['load_checkpoint'] is stock


def test_test_gives_the_metric_and_dumps_predictions(trained, folder):
    out = folder.path / 'predictions.pkl'
    folder.test(trained.run / 'epoch_2.pth', '--out', out)
    with out.open('rb') as file:
        assert len(pickle.load(file)) == 8
    state = torch.load(trained.run / 'epoch_2.pth', weights_only=False)['state_dict']
    mean = 3.5 / 8 * state['linear.weight'].item() + state['linear.bias'].item()
    assert f'mean: {mean:.4f}  count: 8' in folder.log()
    assert 'Done. Metrics and log:' in folder.log()


def test_folders_that_cannot_be_written_are_refused_at_once(trained, folder):
    (folder.path / 'file').touch()
    out = folder.path / 'file/out.pkl'
    with pytest.raises(NotADirectoryError, match='choose another --out'):
        folder.test(trained.run / 'epoch_2.pth', '--out', out)
    folder.run = folder.path / 'file'
    for command in (lambda: folder.test(trained.run / 'epoch_2.pth'), folder.train):
        with pytest.raises(NotADirectoryError, match='choose another --work-dir'):
            command()


def test_wrong_out_is_refused_before_anything_is_read(capsys):
    with pytest.raises(SystemExit):
        test_module.main(['none.py', 'none.pth', '--out', 'a.json'])
    assert '.pkl' in capsys.readouterr().err


@pytest.mark.parametrize('command', [train_module.main, test_module.main])
def test_missing_config_and_checkpoint(command, folder):
    extra = [] if command is train_module.main else ['x.pth']
    with pytest.raises(FileNotFoundError, match='no config at .*none.py'):
        command(['none.py', *extra])
    with pytest.raises(FileNotFoundError, match='no config'):
        command(['mmmix::none.py', *extra])
    flag = ['--resume', 'x.pth'] if command is train_module.main else extra
    with pytest.raises(FileNotFoundError, match='no checkpoint at .*x.pth'):
        command([folder.config(), *flag])


@pytest.mark.parametrize('key', ['model', 'train_cfg', 'optim_wrapper'])
def test_a_config_of_parts_alone_does_not_train(key, folder):
    with pytest.raises(KeyError, match=f'toy.*py has no {key}, which'):
        folder.train(**{key: None})
    assert not folder.run.exists()


def test_a_config_without_a_test_is_not_tested(trained, folder):
    with pytest.raises(KeyError, match='no test_cfg and no test_evaluator'):
        folder.test(trained.run / 'epoch_2.pth', test_cfg=None, test_evaluator=None)


def test_missing_data_is_named_before_anything_is_built(folder):
    loader = dict(batch_size=1, dataset=dict(type='VOCDataset', data_root='data/VOCx'))
    with pytest.raises(FileNotFoundError, match=r'data/VOCx .*train_dataloader'):
        folder.train(train_dataloader=loader)
    assert not folder.run.exists()


def test_a_training_without_a_whole_batch_is_refused(folder):
    loader = toy_config(folder.path)['train_dataloader']
    many = dict(train_dataloader=dict(loader, batch_size=9, drop_last=True))
    with pytest.raises(ValueError, match='no batch of 8 images with batch_size=9'):
        folder.train(**many)
    endless = dict(loader, sampler=dict(type='InfiniteSampler'), drop_last=True)
    loop = dict(by_epoch=False, max_iters=2)
    many = dict(train_dataloader=dict(endless, batch_size=9), train_cfg=loop)
    assert folder.train(**many, param_scheduler=[])['iter'] == 2


def test_auto_scale_lr_scales(folder):
    own = dict(auto_scale_lr=dict(base_batch_size=4), param_scheduler=[])
    assert folder.train('--auto-scale-lr', **own)['lr'] == [0.1 * 2 / 4]


def watch(folder, **settings) -> dict:
    hook = dict(type='ToyWatch', folder=str(folder.path), **settings)
    return dict(custom_hooks=[hook])


def test_ctrl_c_says_how_to_continue(folder, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['tools/train.py'])
    monkeypatch.setattr(sys.modules['__main__'], '__spec__', None)
    with pytest.raises(SystemExit) as caught:
        folder.train('--seed', 1, **watch(folder, stop_at=5, stop_by='ctrl-c'))
    assert caught.value.code == 130
    last = folder.log().strip().splitlines()[-1]
    config = folder.path / f'toy{next(_COUNT) - 1}.py'
    command = f'{config} --work-dir {folder.run} --seed 1 --resume'
    assert last.endswith(f'To continue: python tools/train.py {command}')


def test_exception_is_in_the_log(folder):
    with pytest.raises(ArithmeticError):
        folder.train(**watch(folder, stop_at=1, stop_by='error'))
    assert 'Traceback' in folder.log()
    assert 'ArithmeticError' in folder.log().strip().splitlines()[-1]
