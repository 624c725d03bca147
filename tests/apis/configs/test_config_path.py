"""Configs by name, in this process and in fresh ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

import mmmix
from mmmix.apis.configs.config_path import config_root, install_config_prefix
from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.own_data.stock import StockDetector
from mmmix.apis.plain_errors import said_by_us

NAME = 'ssd300_voc_boxmix.py'


def load_in_fresh_process(
    folder: Path, base: str, imports: str
) -> tuple[Config, subprocess.CompletedProcess[str]]:
    """Inherits from ``base`` in a config of ``folder``, parsed by a new interpreter."""
    child = folder / 'child.py'
    child.write_text(f'_base_ = {base}\nmodel = dict(bbox_head=dict(num_classes=3))\n')
    code = f"""
import sys
import {imports}
assert 'torch._dynamo' not in sys.modules  # seconds, for those who compile
from mmengine.config import Config
Config.fromfile({str(child)!r}).dump('dumped.py')
"""
    result = subprocess.run(
        [sys.executable, '-W', 'default::UserWarning', '-c', code],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return Config.fromfile(folder / 'dumped.py'), result


@pytest.mark.parametrize(
    ('base', 'imports'),
    [
        (f"'mmmix::{NAME}'", 'mmmix'),
        pytest.param(
            f"__import__('mmmix').config_path('{NAME}')",
            'mmengine',
            marks=pytest.mark.slow,
        ),
    ],
)
def test_both_forms_inherit_in_a_fresh_process(base, imports, tmp_path):
    expected = Config.fromfile(mmmix.config_path(NAME))
    expected.model.bbox_head.num_classes = 3
    loaded, done = load_in_fresh_process(tmp_path, base, imports)
    assert loaded.to_dict() == expected.to_dict()
    # Importing mmmix says nothing of what nobody asked for.
    assert done.stdout == ''
    for text in ('OneDL', 'faster_coco_eval'):
        assert text not in done.stderr


def test_inherited_types_keep_the_scope_of_a_local_file(tmp_path):
    child = tmp_path / 'child.py'
    child.write_text(f"_base_ = 'mmmix::{NAME}'\n")
    inherited, local = Config.fromfile(child), Config.fromfile(mmmix.config_path(NAME))
    assert inherited.to_dict() == local.to_dict()


@pytest.mark.parametrize('name', [NAME, f'mmmix::{NAME}'])
def test_path_is_absolute_and_in_the_config_root(name):
    path = mmmix.config_path(name)
    assert os.path.isabs(path)
    assert Path(path) == config_root() / NAME
    assert os.path.isfile(path)


@pytest.mark.parametrize(
    ('wrong', 'suggested'),
    [
        ('ssd300_voc_boxmx.py', NAME),
        ('ssd300_voc_boxmix', NAME),
        ('voc/ssd300_voc_boxmix.py', NAME),
        ('ssd_digits_boxmix.py', 'demo/ssd_digits_boxmix.py'),
    ],
)
def test_unknown_name_lists_close_matches(wrong, suggested, tmp_path):
    with pytest.raises(FileNotFoundError, match='no config') as direct:
        mmmix.config_path(wrong)
    assert suggested in str(direct.value)

    child = tmp_path / 'child.py'
    child.write_text(f"_base_ = 'mmmix::{wrong}'\n")
    with pytest.raises(FileNotFoundError, match='no config') as inherited:
        Config.fromfile(child)
    assert str(inherited.value) == str(direct.value)


def test_name_without_any_match_points_to_the_list():
    with pytest.raises(FileNotFoundError, match=r'README\.md in that folder'):
        mmmix.config_path('0')


def test_name_must_stay_inside_of_the_configs():
    outside = os.path.relpath(__file__, config_root())
    with pytest.raises(FileNotFoundError, match='no config'):
        mmmix.config_path(outside)


def test_name_must_be_a_string():
    with pytest.raises(TypeError, match='must be a str such as'):
        mmmix.config_path(3)


def test_other_prefixes_stay_stock(tmp_path):
    child = tmp_path / 'child.py'
    child.write_text("_base_ = 'mmdet::pascal_voc/ssd300_voc0712.py'\n")
    assert Config.fromfile(child).model._scope_ == 'mmdet'

    child.write_text("_base_ = 'nothing::folder/name.py'\n")
    with pytest.raises(AssertionError, match='does not support to load nothing'):
        Config.fromfile(child)

    child.write_text("_base_ = 'mmdet::ssd::name.py'\n")
    with pytest.raises(ValueError, match='_get_package_and_cfg_path'):
        Config.fromfile(child)


RETINANET = 'retinanet/retinanet_r50_fpn_1x_coco.py'


@pytest.mark.parametrize(
    ('wrong', 'suggested'),
    [
        ('retinanet/retinanet_r50_fpn_1x_cocoo.py', f'mmdet::{RETINANET}'),
        ('retinanet/retinanet_r50_fpn_1x_cocoo', f'mmdet::{RETINANET}'),
        ('retinanett/retinanet_r50_fpn_1x_coco.py', f'mmdet::{RETINANET}'),
        ('ssd/retinanet_r50_fpn_1x_coco.py', f'mmdet::{RETINANET}'),
        ('retinanet_r50_fpn_1x_coco.py', f'mmdet::{RETINANET}'),
        ('ssd/qqqqqqqqqqqqqqqqqqqqqqqqqqq.py', 'configs/ssd holds'),
        ('q/qqqqqqqqqqqqqqqqqqqqqqqqqqq.py', 'configs holds'),
    ],
)
def test_unknown_name_of_mmdet_lists_close_matches(wrong, suggested):
    with pytest.raises(FileNotFoundError, match='mmdet has no config') as caught:
        read_config(f'mmdet::{wrong}')
    assert suggested in str(caught.value)
    assert said_by_us(caught.value)


@pytest.mark.parametrize('way', ['method', 'base', 'init'])
def test_unknown_name_of_mmdet_is_told_wherever_it_stands(way, tmp_path):
    named = 'mmdet::retinanet/retinanet_r50_fpn_1x_cocoo.py'
    child = tmp_path / 'child.py'
    child.write_text(f"_base_ = '{named}'\n")
    ask = {
        'method': lambda: read_config(f'{named}+lossmix'),
        'base': lambda: read_config(str(child)),
        'init': lambda: StockDetector(named, None),
    }
    with pytest.raises(FileNotFoundError, match=f'mmdet::{RETINANET}') as caught:
        ask[way]()
    assert said_by_us(caught.value)


def test_unknown_package_is_told():
    with pytest.raises(ValueError, match=r'mdet config\. Take mmmix::NAME\.py'):
        read_config(f'mdet::{RETINANET}')


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('mdet::x.py', ValueError),
        ('mmpose::hand/x.py', ValueError),  # which is not installed
        ('mmdet::', FileNotFoundError),
        ('mmmix::', FileNotFoundError),
        ('.', FileNotFoundError),
        ('', FileNotFoundError),
    ],
)
def test_a_name_of_another_form_is_refused_in_a_line(name, kind):
    with pytest.raises(kind) as caught:
        read_config(name)
    assert said_by_us(caught.value)


def test_installing_the_prefix_twice_changes_nothing():
    before = Config._get_cfg_path
    install_config_prefix()
    assert Config._get_cfg_path is before
