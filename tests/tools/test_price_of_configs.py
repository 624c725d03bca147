"""What a whole training step of three configs may launch and read: an upper bound.

``test_price.py`` has the heads alone, beside the stock ones.
"""

from __future__ import annotations

import pytest

from mmmix.commands import count_ops
from mmmix.studies.speed.step_counts import LOSS, MIXER

SMALL = ['--size', '64', '64']
MOST = {
    'ssd300_voc_boxmix.py': ([], 170, 750, []),
    'faster-rcnn_r50_coco_lossmix.py': (SMALL, 765, 2050, ['batch_rois.py']),
    'yolov3_d53_coco_boxmix.py': (SMALL, 280, 1950, []),
}
"""Size, operations of the loss and of the step, files of ours that read in the loss."""


@pytest.mark.parametrize('config', MOST)
def test_a_step_launches_little_and_waits_for_little(config):
    size, loss, step, files = MOST[config]
    argv = ['--batch-size', '2', '--steps', '1', '--warmups', '1', *size]
    (counts,) = count_ops.main([f'mmmix::{config}', *argv]).values()
    assert counts.total('operations', LOSS) <= loss
    assert counts.total('operations', MIXER) <= 31
    assert counts.total('operations') <= step
    ours = [place for place, _ in counts.places if place.line.startswith('mmmix/')]
    where = [place.line.rpartition('/')[2].partition(':')[0] for place in ours]
    # The mixer's check of boxes waits once; so does what has to know how many RoIs.
    assert sorted(where) == sorted(['boxes.py', *files])
    assert all(count == 1 for place, count in counts.places if place in ours)
