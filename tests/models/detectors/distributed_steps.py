"""Training steps of one of several processes whose draws differ; run as a program.

``python distributed_steps.py RANK WORLD STORE OUT NAME...`` trains each detector for a
few steps under ``DistributedDataParallel`` and writes what happened to OUT, step by
step, so that a step that never ends is seen.
"""

from __future__ import annotations

import copy
import datetime
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.distributed as dist
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.model import MMDistributedDataParallel, revert_sync_batchnorm
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch.nn.modules.batchnorm import _BatchNorm

from mmmix.apis.launching.launch import released
from mmmix.structures import is_mixed
from tests.configs.config_cases import load
from tests.models.detectors import zoo
from tests.models.roi_heads import faster_rcnn

STEPS = 4
MIXER = dict(type='MixBatch', ratio=dict(type='Beta', alpha=1.0), prob=0.5)
MIX_AWARE = {'FasterRCNN', 'SSD', 'YOLOV3'}


def small(name):
    """A detector with mix-aware heads, small."""
    if name == 'FasterRCNN':
        cfg = ConfigDict(copy.deepcopy(faster_rcnn.MODEL))
        cfg.rpn_head.type, cfg.roi_head.type = 'MixRPNHead', 'MixStandardRoIHead'
        cfg.roi_head.bbox_head.type = 'MixShared2FCBBoxHead'
        return cfg
    kind = {'SSD': 'ssd', 'YOLOV3': 'yolov3'}[name]
    cfg = load(f'demo/{kind}_digits.py').model
    cfg.pop('init_cfg', None)
    return cfg


def build(name):
    """A detector whose mixer is on, and the size of its images."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    plain, _, method = name.partition('-')
    supervision = dict(type=method or 'LossMix')
    mixer = dict(MIXER, supervision=supervision)
    if plain in MIX_AWARE:
        cfg = small(plain)
        cfg.data_preprocessor.batch_augments = [mixer]
        model = MODELS.build(cfg)
        model.init_weights()
        return model.train(), (64, 96) if plain == 'FasterRCNN' else (160, 160)
    cfg = zoo.config(plain)
    cfg.model.data_preprocessor.batch_augments = [dict(mixer, lam_per='batch')]
    # Twice the size of the objects' frame: GroupNorm takes no map of a single cell.
    return zoo.build(cfg, type='LossMixDetector', detector=plain), (128, 192)


def batch(rank, step, shape):
    """Two images, or one: the last step is a batch of one on rank 1."""
    count = 1 if rank == 1 and step == STEPS - 1 else 2
    seeds = [100 * step + 10 * rank + i for i in range(count)]
    return dict(
        inputs=[torch.randint(0, 256, (3, *shape), dtype=torch.uint8) for _ in seeds],
        data_samples=[
            zoo.sample(zoo.objects(seed, 2), i) for i, seed in enumerate(seeds)
        ],
    )


class Counter:
    """Counts the collectives that Python code starts."""

    def __init__(self):
        self.calls = 0
        for name in ('all_reduce', 'all_gather', 'broadcast', 'all_gather_object'):
            setattr(dist, name, self._counting(getattr(dist, name)))

    def _counting(self, function):
        def counted(*args, **kwargs):
            self.calls += 1
            return function(*args, **kwargs)

        return counted


def train(name, rank, counter, report):
    """A few steps; what each of them did goes into ``report``."""
    model, shape = build(name)
    model = revert_sync_batchnorm(model)
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()  # a batch of one leaves it a single value per channel
    ddp = MMDistributedDataParallel(
        model, device_ids=None, broadcast_buffers=False, find_unused_parameters=False
    )
    wrapper = OptimWrapper(torch.optim.SGD(ddp.parameters(), lr=1e-4))
    hub = MessageHub.get_current_instance()
    hub.update_info('seed', 7)
    mixed = []
    model.data_preprocessor.register_forward_hook(
        lambda module, args, out: mixed.append(
            sum(is_mixed(sample.metainfo) for sample in out['data_samples'])
        )
    )
    with released(SimpleNamespace(model=ddp)):
        for step in range(STEPS):
            hub.update_info('iter', step)
            torch.manual_seed(10 * step + rank)
            before = counter.calls
            losses = ddp.train_step(batch(rank, step, shape), wrapper)
            report(
                dict(
                    name=name,
                    mixed=mixed[-1],
                    collectives=counter.calls - before,
                    losses=sorted(losses),
                    finite=bool(torch.isfinite(losses['loss'])),
                )
            )
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    report(dict(name=name, weights=float(weights.double().sum())))


def main(rank, world, store, out, *names):
    """Train all detectors as one of ``world`` processes."""
    torch.set_num_threads(1)
    dist.init_process_group(
        'gloo',
        init_method=f'file://{store}',
        rank=int(rank),
        world_size=int(world),
        timeout=datetime.timedelta(seconds=60),
    )
    counter, path = Counter(), Path(out)
    for name in names:
        with path.open('a') as file:

            def report(row, file=file):
                file.write(json.dumps(row) + '\n')
                file.flush()

            train(name, int(rank), counter, report)
    dist.destroy_process_group()


if __name__ == '__main__':
    main(*sys.argv[1:])
