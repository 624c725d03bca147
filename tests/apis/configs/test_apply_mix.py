"""A method by its name on mmdet's own configs: what changes, and what is refused."""

from __future__ import annotations

import copy
import functools
from typing import Any

import pytest
from mmengine.config import Config

from mmmix.apis.configs.apply_mix import apply_mix, mix_names
from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.configs.mix_heads import TWINS
from mmmix.engine.described_mixers import placed_mixers
from tests.configs.config_cases import CONFIGS, load
from tests.models.detectors import zoo

STOCK = {
    'SSD': 'ssd/ssd300_coco.py',
    'YOLOv3': 'yolo/yolov3_d53_8xb8-ms-608-273e_coco.py',
    'FasterRCNN': 'faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
    **{
        name: zoo.CONFIGS[name]
        for name in ('RetinaNet', 'FCOS', 'DINO', 'RTMDet', 'MaskRCNN', 'YOLOX')
    },
}
TWINNED = ('SSD', 'YOLOv3', 'FasterRCNN', 'RetinaNet')
ALIGNED = ('SSD', 'FasterRCNN')
SEMI = 'semi/ssd300_voc07-voc12u_mean-teacher'
# What each method asks of a detector: nothing, weights of whole images, of boxes, or
# features to mix.
ASKS = {
    'union': 'nothing',
    'boxstack': 'nothing',
    'noise': 'nothing',
    'lossmix': 'images',
    'lossmix_alpha-0.2': 'images',
    'cutmix': 'images',
    'boxmix': 'boxes',
    'boxmix-level': 'boxes',
    'weighted-union': 'boxes',
    'cutmix-visible': 'boxes',
    'alignmix': 'features',
}


@functools.cache
def stock(name: str) -> Config:
    """mmdet's config of a detector; shared, so copy it before changing anything."""
    return read_config(f'mmdet::{STOCK[name]}')


def mixed(name: str, method: str, **settings: Any) -> Config:
    """mmdet's config of a detector with a method."""
    return apply_mix(copy.deepcopy(stock(name)), method, **settings)


def method(name: str) -> dict[str, Any]:
    """The mixer of a method as its base has it."""
    return Config.fromfile(CONFIGS / f'_base_/mixes/{name}.py').mix.to_dict()


def augments(cfg: Config) -> list[dict[str, Any]]:
    """The batch augmentations of a config."""
    return [dict(a) for a in cfg.model.data_preprocessor.get('batch_augments') or []]


def types(node: Any, path: str = 'model') -> dict[str, str]:
    """All types in a nest of configs, by path."""
    found = {}
    if isinstance(node, dict):
        if isinstance(node.get('type'), str):
            found[path] = node['type']
        for key, value in node.items():
            found |= types(value, f'{path}.{key}')
    return found


def test_every_method_is_here():
    assert mix_names() == sorted(ASKS)


@pytest.mark.parametrize('name', STOCK)
@pytest.mark.parametrize('kind', ASKS)
def test_what_changes_and_what_is_refused(name, kind):
    asked = ASKS[kind]
    fits = asked == 'nothing' or name in TWINNED
    if asked == 'features':
        fits = name in ALIGNED
    wrapped = asked == 'images' and not fits
    settings = dict(level=2) if asked == 'features' else {}
    if not fits and not wrapped:
        with pytest.raises(ValueError, match=f'--mix {kind}'):
            mixed(name, kind, **settings)
        return
    before, cfg = stock(name), mixed(name, kind, **settings)
    mix = method(kind) | (dict(lam_per='batch') if wrapped else {})
    assert augments(cfg) == [*augments(before), mix]

    expected = types(before.to_dict()['model'])
    detector = expected['model']
    twinned = name in TWINNED or (name == 'MaskRCNN' and not wrapped)
    if twinned:
        expected = {
            p: t if p == 'model' else TWINS.get(t, t) for p, t in expected.items()
        }
    found = types(cfg.to_dict()['model'])
    if wrapped or asked == 'features':
        assert cfg.model.detector == detector
        expected['model'] = 'LossMixDetector' if wrapped else 'AlignMix'
    assert {p: t for p, t in found.items() if 'batch_augments' not in p} == {
        p: t for p, t in expected.items() if 'batch_augments' not in p
    }
    hooks = [hook['type'] for hook in cfg.custom_hooks]
    own = [hook['type'] for hook in before.get('custom_hooks', [])]
    assert hooks == [*own, 'MixScheduleHook', 'MixPreviewHook']
    assert cfg.custom_imports.imports[-1] == 'mmmix'


@pytest.mark.parametrize(
    ('name', 'kind', 'way_out'),
    [
        ('FCOS', 'boxmix', '--mix lossmix'),
        ('MaskRCNN', 'boxmix', 'does not reach its masks.*--mix lossmix'),
        ('SSD', 'alignmix', '--mix-options level=2'),
        ('YOLOv3', 'alignmix', 'SSD and Faster R-CNN'),
    ],
)
def test_a_refusal_says_what_to_take(name, kind, way_out):
    with pytest.raises(ValueError, match=way_out):
        mixed(name, kind)


def test_unknown_names_are_listed_with_the_nearest():
    with pytest.raises(KeyError, match="Did you mean 'lossmix'") as caught:
        mixed('SSD', 'losmix')
    assert all(name in str(caught.value) for name in ASKS)


@pytest.mark.parametrize('place', ['batch_augments', 'mixer', 'pipeline'])
def test_a_config_that_mixes_already_is_refused(place):
    cfg = copy.deepcopy(load('ssd300_voc_boxmix.py'))
    if place == 'mixer':
        cfg = copy.deepcopy(load('demo/ssd_digits_level1.py'))
    if place == 'pipeline':
        cfg = copy.deepcopy(stock('SSD'))
        ratio = dict(type='Constant', value=0.5)
        cfg.train_dataloader.dataset.pipeline = [dict(type='MixImage', ratio=ratio)]
    before = cfg.to_dict()
    with pytest.raises(ValueError, match=f'mixes already .*{place}'):
        apply_mix(cfg, 'lossmix')
    assert cfg.to_dict() == before


@pytest.mark.parametrize(
    ('leaf', 'key'),
    [
        ('demo/ssd_digits.py', 'model.data_preprocessor.batch_augments.0.prob'),
        (f'{SEMI}.py', 'model.mixers.sup.prob'),
    ],
)
def test_settings_of_a_mixer_that_is_not_there_yet(leaf, key):
    """Those of --cfg-options come before --mix, which would lose them."""
    with pytest.raises(ValueError, match="'prob': 0.5.*--mix-options KEY=VALUE"):
        read_config(f'mmmix::{leaf}+lossmix', {key: 0.5})
    mixed = read_config(f'mmmix::{leaf}+lossmix', mix_options={'prob': 0.5})
    assert {mixer.settings.prob for mixer in placed_mixers(mixed)} == {0.5}


def test_a_config_without_a_model_is_refused():
    with pytest.raises(KeyError, match='with a model'):
        apply_mix(Config(dict(train_cfg=dict())), 'lossmix')


def test_settings_are_merged_as_configs_are():
    cfg = mixed('SSD', 'lossmix', prob=0.5, **{'ratio.alpha': 0.3})
    expected = method('lossmix') | dict(prob=0.5, ratio=dict(type='Beta', alpha=0.3))
    assert augments(cfg) == [expected]
    options = {'ratio.alpha': 0.3, 'prob': 0.5}
    read = read_config(f'mmdet::{STOCK["SSD"]}', mix='lossmix', mix_options=options)
    assert read.model == cfg.model
    assert read.work_dir == 'work_dirs/ssd300_coco_lossmix'
    # The base of the method is left as it was.
    assert augments(mixed('SSD', 'lossmix')) == [method('lossmix')]


def test_what_the_user_imports_and_hooks_stays():
    cfg = copy.deepcopy(stock('SSD'))
    hook = dict(type='mmdet.MixScheduleHook', last=10)
    cfg.custom_hooks = [hook]
    cfg.custom_imports = dict(imports='torch', allow_failed_imports=True)
    apply_mix(cfg, 'boxmix')
    assert cfg.custom_hooks == [hook, dict(type='MixPreviewHook')]
    assert cfg.custom_imports == dict(
        imports=['torch', 'mmmix'], allow_failed_imports=True
    )


def test_a_classifier_is_refused():
    cfg = Config(dict(default_scope='mmpretrain', model=dict(type='ImageClassifier')))
    with pytest.raises(ValueError, match=r'a classifier \(ImageClassifier\)'):
        apply_mix(cfg, 'lossmix')


def test_a_wrapped_detector_is_not_wrapped_again():
    cfg = copy.deepcopy(load('fcos_r50_voc_lossmix.py'))
    leaf = copy.deepcopy(cfg.model)
    del cfg.model.data_preprocessor['batch_augments']
    assert apply_mix(cfg, 'lossmix').model == leaf


@pytest.mark.parametrize(
    ('name', 'leaf', 'methods'),
    [
        ('ssd/ssd300_coco.py', 'ssd300_coco', ('lossmix', 'boxmix', 'noise')),
        ('pascal_voc/ssd300_voc0712.py', 'ssd300_voc', ('lossmix', 'weighted-union')),
        (STOCK['YOLOv3'], 'yolov3_d53_coco', ('lossmix', 'boxmix', 'union')),
        (
            'pascal_voc/retinanet_r50_fpn_1x_voc0712.py',
            'retinanet_r50_voc',
            ('lossmix',),
        ),
    ],
)
def test_mmdets_config_with_a_name_is_our_leaf(name, leaf, methods):
    for kind in methods:
        expected = load(f'{leaf}_{kind}.py').model.to_dict()
        cfg = read_config(f'mmdet::{name}', mix=kind).model.to_dict()
        for model in (expected, cfg):
            model.pop('_scope_', None)
        assert cfg == expected


def test_faster_rcnn_has_the_heads_of_our_leaf():
    leaf = load('faster-rcnn_r50_coco_boxmix.py').model
    cfg = mixed('FasterRCNN', 'boxmix').model
    for key in ('rpn_head', 'roi_head', 'train_cfg', 'data_preprocessor'):
        assert cfg[key] == leaf[key]


def test_all_terms_of_a_teacher_are_mixed_as_in_our_leaf():
    cfg = apply_mix(copy.deepcopy(load(f'{SEMI}.py')), 'lossmix')
    leaf = load(f'{SEMI}-lossmix.py')
    assert cfg.model == leaf.model
    assert cfg.custom_hooks == leaf.custom_hooks


@pytest.mark.parametrize(
    ('leaf', 'kind', 'match'),
    [
        (f'{SEMI}.py', 'alignmix', 'pairs within a batch; take --mix boxmix'),
        (
            'demo/ssd_digits-domain_source-only.py',
            'lossmix',
            'MixedDomainTeacher mixes by its own terms',
        ),
    ],
)
def test_what_a_teacher_refuses(leaf, kind, match):
    with pytest.raises(ValueError, match=match):
        apply_mix(copy.deepcopy(load(leaf)), kind)
