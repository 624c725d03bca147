"""Importing mmmix hides nothing but what nobody asked for.

That it says nothing itself is seen in a new interpreter, in ``test_config_path.py``.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData

from mmmix.apis import quiet_stack
from mmmix.apis.quiet_stack import import_stack_quietly
from mmmix.apis.run_command import stoppable


def test_other_lines_and_warnings_come_through(monkeypatch, tmp_path, capsys):
    (tmp_path / 'talking.py').write_text(
        'import warnings\n'
        "print('Could not import OneDL. Skipping.')\n"
        "print('the disk is full')\n"
        "warnings.warn('faster_coco_eval is not installed, ...')\n"
        "warnings.warn('beware')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(quiet_stack, 'MODULES', ('talking',))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        import_stack_quietly()
    assert capsys.readouterr().out == 'the disk is full\n'
    assert [str(warning.message) for warning in caught] == ['beware']


def test_an_import_that_fails_fails(monkeypatch):
    monkeypatch.setattr(quiet_stack, 'MODULES', ('no_such_module',))
    with pytest.raises(ModuleNotFoundError, match='no_such_module'):
        import_stack_quietly()


def test_a_box_up_to_the_edge_is_no_warning():
    painter = DetLocalVisualizer()
    painter.dataset_meta = dict(classes=('cat',))
    found = InstanceData(
        bboxes=torch.tensor([[0.0, 0.0, 32.5, 40.0]]),
        labels=torch.tensor([0]),
        scores=torch.tensor([0.5]),
    )
    sample = DetDataSample(pred_instances=found)
    image = np.zeros((40, 32, 3), np.uint8)
    with pytest.warns(UserWarning, match='bbox is out of bounds'):
        painter.add_datasample('image', image, sample, draw_gt=False)
    with warnings.catch_warnings(record=True) as told, stoppable():
        painter.add_datasample('image', image, sample, draw_gt=False)
        warnings.warn('something else', stacklevel=1)
    texts = [str(item.message) for item in told if item.category is UserWarning]
    assert texts == ['something else']
