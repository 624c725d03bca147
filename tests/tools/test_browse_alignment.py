"""browse_alignment.py draws what a plan carries."""

from __future__ import annotations

import runpy

import cv2
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

import mmmix
from mmmix.apis.configs.config_reading import read_config
from mmmix.models.alignmix.transport import Transport
from mmmix.visualization.draw_alignment import (
    AlignedImages,
    draw_alignment,
    object_map,
    probes,
)
from tests.configs.tiny_data import write_tiny_data

TOOL = 'mmmix.commands.browse_alignment'
SMALL = [
    'model.backbone.base_channels=4',
    'model.neck.in_channels=(8,16)',
    'model.neck.out_channels=(8,16,16)',
    'model.bbox_head.in_channels=(8,16,16)',
]


def test_pictures_of_a_config(tmp_path, monkeypatch, capsys):
    write_tiny_data(tmp_path / 'data')
    monkeypatch.chdir(tmp_path)
    main = runpy.run_module(TOOL)['main']
    options = ['--num-batches', '1', '--batch-size', '2', '--out', 'pictures']
    more = ['--device', 'cpu', '--probes', '2', '--cfg-options', *SMALL]
    main([mmmix.config_path('demo/ssd_digits_alignmix.py'), *options, *more])
    assert '[1/1] pictures/batch_0.png' in capsys.readouterr().out
    picture = cv2.imread('pictures/batch_0.png')
    assert picture.std() > 10
    with pytest.raises(ValueError, match=r"model.type='AlignMix', got SingleStage"):
        main([mmmix.config_path('demo/ssd_digits.py'), *options])


def test_a_checkpoint_of_the_plain_detector_is_taken(tmp_path, monkeypatch):
    write_tiny_data(tmp_path / 'data')
    monkeypatch.chdir(tmp_path)
    tool = runpy.run_module(TOOL)
    parse_args, build_model = tool['parse_args'], tool['build_model']

    def cfg_of(name: str) -> Config:
        path = mmmix.config_path(f'demo/{name}.py')
        small = parse_args([path, '--cfg-options', *SMALL])
        return read_config(path, small.cfg_options)

    plain = MODELS.build(cfg_of('ssd_digits').model)
    # A path is no plain container, so the file is refused unless it is trusted.
    torch.save(dict(state_dict=plain.state_dict(), by=tmp_path), 'plain.pth')
    command = ['ssd_digits_alignmix.py', '--checkpoint', 'plain.pth', '--device', 'cpu']
    cfg = cfg_of('ssd_digits_alignmix')
    with pytest.raises(ValueError, match='--trust-checkpoint'):
        build_model(cfg, parse_args(command))
    model = build_model(cfg, parse_args([*command, '--trust-checkpoint']))
    ours, theirs = model.state_dict(), plain.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_panels_show_what_was_carried():
    """A plan that swaps two halves: the partner's red half arrives on the left."""
    own, other = torch.ones(3, 8, 8), torch.zeros(3, 8, 8)
    other[0, :, 4:] = 1
    plan = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    boxes = torch.tensor([[1.0, 1.0, 3.0, 3.0]]), torch.tensor([[4.0, 0.0, 8.0, 8.0]])
    pair = AlignedImages((own, other), boxes, 0.5, Transport(plan, (1, 2), (8.0, 4.0)))
    figure = draw_alignment([pair], num_probes=1)
    image, partner, carried, mixed = figure.axes
    pixels = carried.images[0].get_array()
    assert (pixels[:, :4, 0] == 1).all()
    assert (pixels[:, 4:, 0] == 0).all()
    # One cell is marked, the left one; its content comes from the right one.
    assert [p.get_xy() for p in image.patches] == [(1.0, 1.0), (0.0, 0.0)]
    assert [p.get_xy() for p in partner.patches] == [(4.0, 0.0), (4.0, 0.0)]
    overlay = mixed.images[1].get_array()
    assert abs(overlay[:, :4, 3] - 0.3).max() < 1e-6
    assert not overlay[:, 4:, 3].any()


def test_objects_and_probes():
    mask = object_map(torch.tensor([[-2.0, 1.0, 3.0, 4.0]]), (5, 6))
    assert mask.sum() == 9
    assert mask[0, 1:4, :3].all()
    shares = torch.tensor([0.1, 0.9, 0.8, 0.0, 0.2, 0.7, 0.3, 0.0])
    # (0, 2) is beside (0, 1), so is the lower row of the left half.
    assert probes(shares, (2, 4), 2) == [1, 3]
