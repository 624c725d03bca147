"""browse_mix.py draws what a config trains on."""

from __future__ import annotations

import runpy

import cv2
import numpy as np

import mmmix
from tests.configs.tiny_data import write_tiny_data

TOOL = 'mmmix.commands.browse_mix'


def browse(folder: str, config: str) -> np.ndarray:
    """Pictures of two batches of two images, as one array."""
    main = runpy.run_module(TOOL)['main']
    options = ['--num-batches', '2', '--output-dir', folder, '--seed', '1']
    sizes = ['--cfg-options', 'train_dataloader.batch_size=2']
    main([mmmix.config_path(config), *options, *sizes])
    return np.stack([cv2.imread(f'{folder}/batch_{i}.png') for i in range(2)])


def test_pictures_of_a_config(tmp_path, monkeypatch, capsys):
    write_tiny_data(tmp_path / 'data')
    monkeypatch.chdir(tmp_path)
    mixed = browse('mixed', 'demo/ssd_digits_lossmix.py')
    assert '[2/2] mixed/batch_1.png' in capsys.readouterr().out
    assert mixed.shape == (2, 320, 644, 3)
    assert (mixed == browse('again', 'demo/ssd_digits_lossmix.py')).all()
    plain = browse('plain', 'demo/ssd_digits.py')
    red = np.array([40, 39, 214])  # BGR of component 1's frames
    frames = [(np.abs(p.astype(int) - red).sum(-1) < 12).sum() for p in (mixed, plain)]
    assert frames[0] > 300
    assert frames[1] == 0


def test_pictures_lie_in_the_working_directory_of_the_config(tmp_path, monkeypatch):
    write_tiny_data(tmp_path / 'data')
    monkeypatch.chdir(tmp_path)
    main = runpy.run_module(TOOL)['main']
    config = mmmix.config_path('demo/ssd_digits.py')
    settings = ['work_dir=elsewhere', 'train_dataloader.batch_size=2']
    main([config, '--num-batches', '1', '--cfg-options', *settings])
    assert (tmp_path / 'elsewhere' / 'browse_mix' / 'batch_0.png').exists()
