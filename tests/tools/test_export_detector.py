"""Teachers and students as plain detectors, for mmdet alone."""

from __future__ import annotations

import os
import pickle
import runpy
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from mmdet.apis import DetInferencer, inference_detector
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.fileio import load
from mmengine.logging import HistoryBuffer
from mmengine.runner import save_checkpoint

import mmmix
from mmmix.apis.configs.plain_config import plain_config
from mmmix.commands import export_detector
from mmmix.commands import test as test_command
from tests.apis.safe_loading.poisons import poison
from tests.apis.semi_configs import semi_config
from tests.configs.tiny_data import moved, write_tiny_data

TOOL = 'mmmix.commands.export_detector'
CLASSES = tuple('abcdefghij')

# What a user runs who has mmdet and not mmmix.
ALONE = """
import sys
import torch
from mmdet.apis import DetInferencer, inference_detector, init_detector

folder, *names = sys.argv[1:]
image = f'{folder}/image.png'
found = {}
for name in names:
    files = f'{folder}/{name}.py', f'{folder}/{name}.pth'
    model = init_detector(*files, device='cpu')
    boxes = inference_detector(model, image).pred_instances
    found[name] = boxes.bboxes, boxes.labels, boxes.scores
    # The checkpoint alone is enough, too: it carries the config.
    for arguments in [files, (None, files[1])][name != 'ssd' :]:
        inferencer = DetInferencer(*arguments, device='cpu', show_progress=False)
        again = inferencer(image)['predictions'][0]
        assert again['labels'] == boxes.labels.tolist()
        assert again['scores'] == boxes.scores.tolist()
        assert again['bboxes'] == boxes.bboxes.tolist()
        assert inferencer.model.dataset_meta['classes'] == tuple('abcdefghij')
assert not [module for module in sys.modules if module.split('.')[0] == 'mmmix']
torch.save(found, f'{folder}/found.pth')
"""


def write_config(cfg, path):
    """As ``cfg.dump``, without seconds of laying it out."""
    lines = [f'{key} = {value!r}\n' for key, value in cfg.to_dict().items()]
    path.write_text(''.join(lines))


def save(cfg, folder, name, **meta):
    """The config and a checkpoint, any teacher unlike its student; the model."""
    torch.manual_seed(len(name))
    model = MODELS.build(cfg.model).eval()
    for key, buffer in model.state_dict().items():
        if key.endswith(('running_mean', 'running_var')):
            buffer.add_(0.1 * torch.rand_like(buffer))
    write_config(cfg, folder / f'{name}_semi.py')
    meta = {'iter': 9, 'dataset_meta': dict(classes=CLASSES), **meta}
    content = dict(state_dict=model.state_dict(), meta=meta)
    save_checkpoint(content, str(folder / f'{name}_semi.pth'))
    model.cfg = cfg
    return model


def export(folder, name, *options):
    source = str(folder / f'{name}_semi')
    runpy.run_module(TOOL)['main']([f'{source}.py', f'{source}.pth', *options])


def detect(model, folder, on):
    """What a teacher-student model detects by one of the two."""
    model.semi_test_cfg['predict_on'] = on
    boxes = inference_detector(model, str(folder / 'image.png')).pred_instances
    return boxes.bboxes, boxes.labels, boxes.scores


@pytest.fixture
def folder(tmp_path):
    image = np.random.default_rng(0).integers(256, size=(120, 170, 3), dtype='uint8')
    cv2.imwrite(str(tmp_path / 'image.png'), image)
    return tmp_path


CASES = {
    'ssd': ('ssd_digits_boxmix', 'MixTeacher', 'teacher'),
    'yolov3': ('yolov3_digits_lossmix', 'SemiBaseDetector', 'student'),
    'faster-rcnn': ('faster-rcnn_digits_lossmix', 'MixTeacher', 'teacher'),
}


def test_mmdet_alone_detects_the_same(folder):
    """No trace of mmmix in a process that loads the exported files."""
    want = {}
    for name, (config, kind, role) in CASES.items():
        model = save(semi_config(config, kind), folder, name)
        export(folder, name, '--which', role, '--out', str(folder / f'{name}.pth'))
        want[name] = detect(model, folder, role)
        other = detect(model, folder, ({'teacher', 'student'} - {role}).pop())
        assert len(want[name][0]) > 0
        assert not torch.equal(want[name][2], other[2])
    script = folder / 'alone.py'
    script.write_text(ALONE)
    command = [sys.executable, str(script), str(folder), *CASES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = torch.load(folder / 'found.pth')
    for name in CASES:
        assert all(torch.equal(f, w) for f, w in zip(found[name], want[name]))


def test_the_inferencer_of_mmdet_takes_a_detector_without_teacher(folder):
    cfg = Config.fromfile(mmmix.config_path('demo/ssd_digits_boxmix.py'))
    model = save(cfg, folder, 'ssd')
    export(folder, 'ssd')
    files = [str(folder / f'ssd_semi_detector.{ending}') for ending in ('py', 'pth')]
    inferencer = DetInferencer(*files, device='cpu', show_progress=False)
    image = str(folder / 'image.png')
    (got,) = inferencer(image)['predictions']
    want = inference_detector(model, image).pred_instances
    assert len(want) > 0
    assert got['bboxes'] == want.bboxes.tolist()
    assert got['labels'] == want.labels.tolist()
    assert got['scores'] == want.scores.tolist()
    assert inferencer.model.dataset_meta['classes'] == CLASSES
    with pytest.raises(ValueError, match='one detector.* leave --which out'):
        export(folder, 'ssd', '--which', 'student')


def test_files_hold_plain_content(folder):
    model = save(semi_config('ssd_digits'), folder, 'ssd')
    export(folder, 'ssd')
    content = torch.load(folder / 'ssd_semi_teacher.pth', weights_only=True)
    assert set(content) == {'meta', 'state_dict'}
    want = model.teacher.state_dict()
    assert list(content['state_dict']) == list(want)
    assert all(torch.equal(content['state_dict'][n], want[n]) for n in want)
    assert content['meta']['dataset_meta'] == dict(classes=CLASSES)
    text = (folder / 'ssd_semi_teacher.py').read_text()
    assert text.startswith('# The teacher of ssd_semi, ssd_semi.pth.\n')
    assert content['meta']['cfg'] == text
    assert 'Mix' not in text
    assert 'mmmix' not in text
    assert not list(folder.glob('*.tmp'))


def test_stock_and_mix_aware_detectors_take_it(folder):
    """All keys fit the exported config and the demo config it was trained from."""
    model = save(semi_config('ssd_digits'), folder, 'ssd')
    export(folder, 'ssd', '--which', 'student')
    content = torch.load(folder / 'ssd_semi_student.pth', weights_only=True)
    plain = MODELS.build(Config.fromfile(folder / 'ssd_semi_student.py').model)
    aware = MODELS.build(semi_config('ssd_digits').model.detector)
    for detector in (plain, aware):
        detector.load_state_dict(content['state_dict'], strict=True)
        want = model.student.state_dict()
        assert all(torch.equal(v, want[n]) for n, v in detector.state_dict().items())


def test_our_test_tool_finds_the_same(folder):
    """``tools/test.py`` on the training's files and on the exported ones."""
    write_tiny_data(folder)
    cfg = moved(semi_config('ssd_digits')._cfg_dict, folder)
    for part in (cfg.test_dataloader, cfg.val_dataloader):
        part.update(num_workers=0, persistent_workers=False)
    save(Config(cfg), folder, 'ssd')
    export(folder, 'ssd')
    found = []
    for name in ('ssd_semi', 'ssd_semi_teacher'):
        files = [str(folder / f'{name}.py'), str(folder / f'{name}.pth')]
        out = folder / f'{name}.pkl'
        work_dir = str(folder / 'run')
        test_command.main([*files, '--work-dir', work_dir, '--out', str(out)])
        found.append([sample['pred_instances'] for sample in load(out)])
    assert [len(boxes['scores']) > 0 for boxes in found[0]] == [True] * 4
    for got, want in zip(*found):
        assert all(torch.equal(got[key], want[key]) for key in want)


# --- refusals ---------------------------------------------------------------


def test_a_teacher_of_burn_in_is_refused(folder):
    save(semi_config('ssd_digits'), folder, 'ssd', teacher_started=False)
    with pytest.raises(ValueError, match='iteration 9 was saved during burn-in'):
        export(folder, 'ssd')
    assert not (folder / 'ssd_semi_teacher.pth').exists()
    export(folder, 'ssd', '--which', 'student')
    assert (folder / 'ssd_semi_student.pth').exists()


def test_a_line_break_in_a_name_is_no_code(folder):
    cfg = semi_config('ssd_digits')
    save(cfg, folder, 'ssd')
    name = 'a\nopen("ran", "w").close()\n'
    (folder / 'ssd_semi.pth').rename(folder / f'{name}.pth')
    files = [str(folder / 'ssd_semi.py'), str(folder / f'{name}.pth')]
    export_detector.main([*files, '--out', str(folder / 'out.pth')])
    text = (folder / 'out.py').read_text()
    assert text.splitlines()[0].endswith(r'a\nopen("ran", "w").close()\n.pth.')
    assert not any(line.startswith('open') for line in text.splitlines())


def test_what_does_not_fit_is_refused(folder):
    save(semi_config('ssd_digits'), folder, 'ssd')
    options = ['--cfg-options', 'model.detector.bbox_head.num_classes=3']
    with pytest.raises(
        ValueError, match='together: size mismatch for bbox_head.cls_convs'
    ):
        export(folder, 'ssd', *options)
    state = dict(state_dict={'backbone.conv1.weight': torch.zeros(1)})
    torch.save(state, folder / 'ssd_semi.pth')
    with pytest.raises(ValueError, match='has no teacher.*backbone.conv1.weight'):
        export(folder, 'ssd')
    assert not list(folder.glob('*_teacher.*'))
    cfg = semi_config('ssd_digits')
    cfg.model = dict(type='ImageClassifier')
    with pytest.raises(ValueError, match="'ImageClassifier' is no detector.*backbone"):
        plain_config(cfg)
    cfg = semi_config('ssd_digits')
    cfg.pop('test_dataloader')
    with pytest.raises(KeyError, match='test_dataloader'):
        plain_config(cfg)


class Planted:
    def __reduce__(self):
        return eval, ("__import__('os').environ.update(PLANTED='1')",)


def test_a_poisoned_checkpoint_is_refused(folder):
    save(semi_config('ssd_digits'), folder, 'ssd')
    poison(folder / 'ssd_semi.pth', folder / 'ssd_semi.pth', 'buffer-mean')
    with pytest.raises(ValueError, match='a log buffer of more than numbers'):
        export(folder, 'ssd')
    assert HistoryBuffer([4.0, 2.0], [1, 1]).statistics('mean') == 3.0
    assert not (folder / 'ssd_semi_teacher.pth').exists()


def test_an_unsafe_checkpoint_is_refused(folder, monkeypatch):
    monkeypatch.delenv('PLANTED', raising=False)
    write_config(semi_config('ssd_digits'), folder / 'ssd_semi.py')
    content = pickle.dumps(dict(state_dict=Planted()), protocol=2)
    (folder / 'ssd_semi.pth').write_bytes(content)
    with pytest.raises(ValueError, match='--trust-checkpoint'):
        export(folder, 'ssd')
    assert 'PLANTED' not in os.environ
    with pytest.raises(SystemExit):
        export(folder, 'ssd', '--out', 'detector.onnx')
    (folder / 'ssd_semi.pth').unlink()
    with pytest.raises(FileNotFoundError, match='no checkpoint at'):
        export(folder, 'ssd')
