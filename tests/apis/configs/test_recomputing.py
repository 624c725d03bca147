"""Gradients of a run that computes activations again."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.runner import Runner
from torch import nn

from mmmix.apis.configs.recomputing import recompute, whole_gradients
from mmmix.commands.train import main
from tests.toy_run import ToyModel


class Parts(nn.Module):
    """A backbone that is given images, and a head that is given a tuple of maps."""

    def __init__(self):
        super().__init__()
        self.backbone, self.head = nn.Linear(2, 3), Head()

    def forward(self, images):
        return self.head((self.backbone(images),), scale=2.0)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 1)

    def forward(self, maps, scale):
        return scale * self.linear(maps[0])


def gradients(model):
    model(torch.tensor([[1.0, 2.0], [3.0, -1.0]])).square().sum().backward()
    return [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize('modules', ['backbone', ['backbone', 'head'], ['head.linear']])
def test_all_weights_have_the_gradients_of_a_plain_run(modules):
    torch.manual_seed(0)
    plain = Parts()
    model = copy.deepcopy(plain)
    recompute(model, modules)
    expected = gradients(plain)
    assert all(grad.abs().sum() > 0 for grad in expected)
    torch.testing.assert_close(gradients(model), expected)


def test_a_part_that_there_is_not_is_named():
    with pytest.raises(KeyError, match=r"no 'neck'; .*\['backbone', 'head'\]"):
        recompute(Parts(), 'neck')


def weights_after_training(folder, monkeypatch, extra):
    monkeypatch.chdir(folder)
    (folder / 'toy.py').write_text(
        "custom_imports = dict(imports=['tests.toy_run'])\n"
        "model = dict(type='ToyModel', norm='none')\n"
        "train_dataloader = dict(dataset=dict(type='ToyDataset'), batch_size=4,\n"
        "    sampler=dict(type='DefaultSampler', shuffle=False), num_workers=0,\n"
        "    collate_fn=dict(type='default_collate'))\n"
        'train_cfg = dict(by_epoch=True, max_epochs=1)\n'
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n"
        "default_scope, randomness = 'mmdet', dict(seed=0)\n"
        f'{extra}\n'
    )
    main(['toy.py'])
    saved = torch.load(folder / 'work_dirs/toy/epoch_1.pth', weights_only=False)
    return saved['state_dict']


def test_train_learns_what_it_learns_without(tmp_path, monkeypatch):
    found = []
    for name, extra in (('a', ''), ('b', "activation_checkpointing = ['linear']")):
        (tmp_path / name).mkdir()
        found.append(weights_after_training(tmp_path / name, monkeypatch, extra))
    torch.testing.assert_close(found[1], found[0])
    assert found[0]['linear.weight'] != ToyModel().linear.weight


def test_mmengine_is_left_as_it_was():
    stock = Runner.train.__globals__['turn_on_activation_checkpointing']
    with whole_gradients():
        assert Runner.train.__globals__['turn_on_activation_checkpointing'] is recompute
    assert Runner.train.__globals__['turn_on_activation_checkpointing'] is stock
