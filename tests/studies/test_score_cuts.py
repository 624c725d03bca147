"""A study says which detections its AP and AR will not count."""

from __future__ import annotations

import pytest

from mmmix.apis.configs.config_reading import read_config
from mmmix.studies.score_cuts import cut_remark, lower_cuts, say_cuts, score_cuts

CUT = {
    'mmdet::pascal_voc/ssd300_voc0712.py': {'model.test_cfg.score_thr': 0.02},
    'mmmix::faster-rcnn_r50_coco.py': {'model.test_cfg.rcnn.score_thr': 0.05},
    'mmmix::demo/ssd_digits-semi_mean-teacher.py': {
        'model.detector.test_cfg.score_thr': 0.02
    },
}


@pytest.mark.parametrize('config', CUT)
def test_thresholds_are_named_with_the_way_out(config):
    cfg = read_config(config)
    remark = cut_remark(cfg, ['train_cfg.max_epochs'])
    for key, value in CUT[config].items():
        assert f'{key}={value:g}' in remark
        assert f'--cfg-options {key}=0' in remark
        assert cut_remark(cfg, [key]) is None


@pytest.mark.parametrize('config', CUT)
def test_thresholds_are_lowered_to_the_score_that_is_wanted(config):
    for least, lowers in ((0.01, True), (0.3, False)):
        cfg = read_config(config)
        lower_cuts(cfg, least, [])
        found = score_cuts(cfg.model, 'model')
        assert found == (dict.fromkeys(CUT[config], least) if lowers else CUT[config])
    cfg = read_config(config)
    lower_cuts(cfg, 0.01, CUT[config])
    assert score_cuts(cfg.model, 'model') == CUT[config]


def test_a_low_threshold_is_told_too():
    """Above 0.001 an over-fitted SSD keeps 23 boxes of an image, with BoxMix 200."""
    cfg = read_config('mmmix::photos/ssd160-lite0_animals100.py')
    cfg.model.test_cfg.score_thr = 0.001
    assert 'scores below model.test_cfg.score_thr=0.001,' in cut_remark(cfg, [])


@pytest.mark.parametrize('name', ['ssd160', 'faster-rcnn160', 'retinanet160'])
def test_configs_of_photographs_count_all(name):
    cfg = read_config(f'mmmix::photos/{name}-lite0_animals100.py')
    assert cut_remark(cfg, []) is None


def test_one_config_alone_is_compared_with_nothing(capsys):
    cfg = read_config('mmdet::pascal_voc/ssd300_voc0712.py')
    say_cuts(cfg, [], 1)
    assert not capsys.readouterr().out
    say_cuts(cfg, [], 2)
    assert 'model.test_cfg.score_thr=0.02' in capsys.readouterr().out
