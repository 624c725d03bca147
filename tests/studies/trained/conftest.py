"""A small SSD with random weights, its checkpoint, and four images."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

import mmmix
from mmmix.apis.configs.config_reading import read_config
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detector
from tests.configs.tiny_data import write_tiny_data


class TinyStudy(NamedTuple):
    """What a study needs; its data are found from ``root`` as current directory."""

    root: Path
    spec: ModelSpec
    detector: LoadedDetector


@pytest.fixture(scope='session')
def tiny_study(tmp_path_factory) -> TinyStudy:
    root = tmp_path_factory.mktemp('study')
    write_tiny_data(root / 'data')
    init_default_scope('mmdet')
    base = mmmix.config_path('demo/ssd_digits.py')
    config = str(root / 'tiny.py')
    # Random weights detect all they may; drawing 200 of an image takes seconds.
    few = 'model = dict(test_cfg=dict(max_per_img=30))'
    Path(config).write_text(f'_base_ = {base!r}\n{few}\n')
    torch.manual_seed(0)
    model = MODELS.build(read_config(config).model)
    torch.save({'state_dict': model.state_dict()}, root / 'tiny.pth')
    spec = ModelSpec('tiny', config, str(root / 'tiny.pth'))
    return TinyStudy(root, spec, load_detector(spec))
