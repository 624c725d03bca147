"""Stand-ins of train.py and test.py, for studies that take no time."""

from __future__ import annotations

import time

# Stand-ins log their arguments to calls.txt beside them and read from the config
# whether to fail or to hang.
TRAIN = """
import argparse, os, pathlib, sys, time, zipfile
parser = argparse.ArgumentParser()
parser.add_argument('config')
parser.add_argument('--work-dir', type=pathlib.Path)
parser.add_argument('--seed')
parser.add_argument('--resume', action='store_true')
parser.add_argument('--amp', action='store_true')
parser.add_argument('--cfg-options', nargs='+')
args = parser.parse_args()
name = pathlib.Path(args.config).stem
with open(pathlib.Path(__file__).parent / 'calls.txt', 'a') as calls:
    flags = ' resume' * args.resume + ' amp' * args.amp
    print(f'train {name} {args.seed}{flags}', file=calls)
args.work_dir.mkdir(parents=True, exist_ok=True)
checkpoint = args.work_dir / 'epoch_1.pth'
with zipfile.ZipFile(checkpoint, 'w') as archive:
    archive.writestr('data', 'x')
(args.work_dir / 'last_checkpoint').write_text(str(checkpoint))
text = open(args.config).read()
if 'hang' in text:
    time.sleep(60)
if 'fail_once' in text and not args.resume:
    print('first line')
    sys.exit('CUDA is on fire')
"""
TEST = """
import argparse, json, pathlib
parser = argparse.ArgumentParser()
parser.add_argument('config')
parser.add_argument('checkpoint', type=pathlib.Path)
parser.add_argument('--work-dir', type=pathlib.Path)
parser.add_argument('--cfg-options', nargs='+')
args = parser.parse_args()
assert args.checkpoint.exists()
name = pathlib.Path(args.config).stem
seed = int(args.work_dir.parent.name.removeprefix('seed_'))
with open(pathlib.Path(__file__).parent / 'calls.txt', 'a') as calls:
    print(f'test {name} {seed}', file=calls)
out = args.work_dir / '20260102_030405'
out.mkdir(parents=True)
metrics = {'coco/AP': len(name) + 0.1 * seed, 'time': 1.5, 'classwise': [1, 2]}
(out / '20260102_030405.json').write_text(json.dumps(metrics))
"""


def run_pending(study):
    return [study.execute(run) for run in study.pending]


def calls(tools):
    file = tools / 'calls.txt'
    lines = file.read_text().splitlines() if file.exists() else []
    file.write_text('')
    return lines


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.05)
