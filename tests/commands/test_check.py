"""Twenty-odd planted faults: what `mmmix check` finds, and what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from mmmix.apis.own_data import weights
from mmmix.apis.run_checks import batch
from mmmix.commands import check, init
from tests.apis.own_data.folders import stem_of, voc_xml, write_voc

FIRST = stem_of(0)  # to train on, a big dog
LAST = stem_of(11)  # to validate on


@pytest.fixture
def _no_model(monkeypatch):
    """Most faults are found before a model is built, which takes seconds."""
    monkeypatch.setattr(batch, 'build_model', lambda cfg, folder: (None, []))


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A sound folder in VOC layout and a config for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, 'is_reachable', lambda url: False)
    write_voc(tmp_path / 'mine', lists=True)
    init.main(
        ['mine', '--size', '64', '--batch-size', '2', '--detector', 'yolov3']
        + ['--mix', 'boxmix']
    )
    return tmp_path / 'mine'


def findings(capsys, *options):
    """Findings by level, and the exit code."""
    capsys.readouterr()
    code = check.main(['mine.py', '--json', *options])
    report = json.loads(capsys.readouterr().out)
    assert report['sound'] == (code == 0)
    texts = {'FAULT': '', 'warning': '', 'ok': ''}
    for item in report['findings']:
        texts[item['level']] += f'{item["check"]}: {item["text"]} -> {item["fix"]}\n'
    return code, texts


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def xml(root, stem=FIRST):
    return root / 'Annotations' / f'{stem}.xml'


def image(root, stem=FIRST):
    return root / 'JPEGImages' / f'{stem}.png'


def misspelt_class(root):
    change(Path('mine.py'), "'big dog'", "'bigdog'")


def unknown_name(root):
    change(xml(root), 'big dog', 'big  dog')


def class_that_is_nowhere(root):
    change(Path('mine.py'), "'cat')", "'cat', 'sheep')")


def inverted_box(root):
    change(xml(root), '<xmax>50', '<xmax>5')


def box_without_area(root):
    change(xml(root), '<xmax>50', '<xmax>10')


def box_outside(root):
    change(xml(root), '<xmin>10', '<xmin>200')
    change(xml(root), '<xmax>50', '<xmax>240')


def broken_xml(root):
    xml(root).write_text('<annotation>')


def xml_is_missing(root):
    xml(root).unlink()


def image_is_missing(root):
    image(root).unlink()


def image_is_cut_off(root):
    data = image(root, LAST).read_bytes()
    image(root, LAST).write_bytes(data[: len(data) // 2])


def image_of_another_size(root):
    Image.new('RGB', (64, 96)).save(image(root))


def empty_list(root):
    (root / 'ImageSets' / 'Main' / 'train.txt').write_text('')


def list_is_missing(root):
    (root / 'ImageSets' / 'Main' / 'val.txt').unlink()


def nothing_to_learn(root):
    for path in (root / 'Annotations').iterdir():
        text = path.read_text().replace('<bndbox>', '<difficult>1</difficult><bndbox>')
        path.write_text(text)


def same_image_on_both_sides(root):
    shutil.copy(image(root), image(root, LAST))


def smaller_copy_on_both_sides(root):
    Image.open(image(root)).resize((72, 48)).save(image(root, LAST))
    xml(root, LAST).write_text(voc_xml('cat', (72, 48)))


def same_id_on_both_sides(root):
    with (root / 'ImageSets' / 'Main' / 'val.txt').open('a') as file:
        file.write(f'{FIRST}\n')


def id_twice_in_val(root):
    with (root / 'ImageSets' / 'Main' / 'val.txt').open('a') as file:
        file.write(f'{LAST}\n')


def class_in_val_alone(root):
    for path in (root / 'Annotations').iterdir():
        if path.stem != stem_of(9):
            path.write_text(voc_xml('cat'))


def tiny_objects(root):
    for path in (root / 'Annotations').iterdir():
        change(path, '<xmax>50', '<xmax>14')


def mirrored_by_exif(root):
    exif = Image.Exif()
    exif[0x0112] = 2
    Image.open(image(root)).save(image(root), exif=exif)


def wrong_number_of_classes(root):
    change(Path('mine.py'), 'num_classes=2', 'num_classes=3')


def base_of_a_missing_package(root):
    Path('mine.py').write_text("_base_ = 'nothere::some/thing.py'\n")


def unknown_type(root):
    change(
        Path('mine.py'),
        'randomness = ',
        "visualizer = dict(type='Vizz')\nrandomness = ",
    )


def loss_that_explodes(root):
    change(
        Path('mine.py'),
        'data_preprocessor=dict(',
        "data_preprocessor=dict(mean=[float('nan')] * 3, ",
    )


def setting_of_no_optimizer(root):
    change(Path('mine.py'), "dict(type='SGD', ", "dict(type='SGD', lrr=1, ")


def missing_weights(root):
    change(Path('mine.py'), 'load_from = None', "load_from = 'nope.pth'")


def fault_in_what_is_tested_alone(root):
    with Path('mine.py').open('a') as file:
        file.write('val_dataloader = val_cfg = val_evaluator = None\n')
    image(root, LAST).unlink()


def metric_of_a_file_that_is_nowhere(root):
    change(Path('mine.py'), "'CocoStyleMetric'", "'CocoMetric', ann_file='no.json'")


def broken_config(root):
    change(Path('mine.py'), 'model = dict(', 'model = dict((')


FAULTS = [
    (misspelt_class, "'bigdog' (did you mean 'big dog'?)"),
    (class_that_is_nowhere, "'sheep'"),
    (inverted_box, f'{FIRST}.xml: object 1 (big dog) is inverted'),
    (box_without_area, f'{FIRST}.xml: object 1 (big dog) has no width'),
    (box_outside, f'{FIRST}.xml: object 1 (big dog) lies outside'),
    (broken_xml, f'{FIRST}.xml is not whole XML'),
    (xml_is_missing, f'{FIRST}'),
    (image_is_missing, f'image mine/JPEGImages/{FIRST}'),
    (image_is_cut_off, f'{LAST}.png -> get the files again'),
    (image_of_another_size, f'{FIRST}.png has 64 x 96 pixels'),
    (empty_list, 'train.txt names no image'),
    (list_is_missing, 'val.txt'),
    (nothing_to_learn, 'no object is left to train on'),
    (id_twice_in_val, 'more than once'),
    (missing_weights, 'nope.pth'),
    (fault_in_what_is_tested_alone, f'image mine/JPEGImages/{LAST}'),
    (broken_config, "mine.py: '(' was never closed"),
    (lambda _: Path('mine.py').write_text('x = 1'), 'has no model and no train_data'),
    (base_of_a_missing_package, 'mine.py: mmengine does not support to load nothere'),
]
WARNINGS = [
    (unknown_name, "1 objects called 'big  dog' are dropped"),
    (same_image_on_both_sides, f'{LAST}.png is mine/JPEGImages/{FIRST}.png'),
    (smaller_copy_on_both_sides, f'{LAST}.png is like mine/JPEGImages/{FIRST}.png'),
    (same_id_on_both_sides, f'{FIRST}.png is mine/JPEGImages/{FIRST}.png'),
    (class_in_val_alone, "val has objects of 'big dog'"),
    (tiny_objects, '100% have a side below 8 px'),
    (mirrored_by_exif, '1 are mirrored or turned upside down'),
]


def test_a_sound_config_is_ready(mine, capsys):
    code, texts = findings(capsys)
    assert '2 of 2 samples of the first batch are mixed' in texts['ok']
    assert 'loss: loss ' in texts['ok']
    assert 'overlap no anchor of bbox_head by 0.5' in texts['ok'] + texts['warning']
    assert code == 0
    assert texts['FAULT'] == ''
    assert '8 images, 8 objects: cat 5, big dog 3' in texts['ok']
    assert 'train images: 8 are there, whole' in texts['ok']
    assert 'duplicates: no val image looks like' in texts['ok']


def name_of(case):
    return getattr(case, '__name__', '')


@pytest.mark.usefixtures('_no_model')
@pytest.mark.parametrize(('plant', 'said'), FAULTS, ids=name_of)
def test_a_planted_fault_is_found(plant, said, mine, capsys):
    plant(mine)
    code, texts = findings(capsys)
    assert code == 1
    assert said in texts['FAULT']


@pytest.mark.parametrize(
    ('plant', 'said'),
    [
        (wrong_number_of_classes, 'num_classes'),
        (unknown_type, 'Vizz'),
        (loss_that_explodes, 'not finite'),
        (metric_of_a_file_that_is_nowhere, 'no.json'),
        (setting_of_no_optimizer, 'optim_wrapper.optimizer.lrr=1 is not taken'),
    ],
    ids=name_of,
)
def test_a_fault_of_the_model_is_found(plant, said, mine, capsys):
    plant(mine)
    code, texts = findings(capsys, '--no-pictures')
    assert code == 1
    assert said in texts['FAULT']


@pytest.mark.usefixtures('_no_model')
@pytest.mark.parametrize(('plant', 'said'), WARNINGS, ids=name_of)
def test_a_planted_oddity_is_told(plant, said, mine, capsys):
    plant(mine)
    code, texts = findings(capsys)
    assert (code, texts['FAULT']) == (0, '')
    assert said in texts['warning']


def test_settings_of_the_method_are_those_of_train():
    given = ['mmmix::photos/ssd160-lite0_animals100.py', '--mix', 'alignmix']
    cfg = check.read(check.parse_args([*given, '--mix-options', 'level=1']))
    assert cfg.model.level == 1
    with pytest.raises(ValueError, match='--mix-options level=2'):
        check.read(check.parse_args(given))
