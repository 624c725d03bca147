"""`mmmix alignment` of classifiers: the pairs, their plans and their pixels."""

from __future__ import annotations

import cv2
import pytest
import torch
from mmengine.config import Config

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import MODELS

from mmmix.classification.aligned_images import align_images
from mmmix.classification.aligning import PUBLISHED
from mmmix.commands.browse_alignment import main
from mmmix.functional.sinkhorn import transport_plan
from mmmix.visualization.draw_alignment import spread

from .tiny_data import write_glyphs

MEAN, STD = [10.0, 20.0, 30.0], [2.0, 4.0, 8.0]
SMALL = ['model.backbone.base_channels=2', 'model.head.in_channels=16']


def built(**settings):
    torch.manual_seed(0)
    cfg = Config(
        dict(
            type='AlignMixClassifier',
            backbone=dict(type='PreActResNet', base_channels=4),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=5, in_channels=32),
            data_preprocessor=dict(num_classes=5, **settings),
        )
    )
    model = MODELS.build(cfg)
    model.init_weights()
    return model.eval()


@pytest.mark.parametrize('rgb', [True, False])
def test_pairs_have_the_plans_of_a_step_and_the_pixels_of_the_images(rgb):
    model = built(mean=MEAN, std=STD)
    raw = torch.randint(0, 256, (4, 3, 32, 48)).float()
    shape = (1, 3, 1, 1)
    inputs = (raw - torch.tensor(MEAN).view(shape)) / torch.tensor(STD).view(shape)
    drawn = built(mean=MEAN, std=STD).draw(inputs)
    pairs = align_images(model, dict(inputs=inputs), rgb)
    kept = [k for k in range(4) if drawn.partners[k] != k]
    assert len(pairs) == len(kept) > 0
    with torch.no_grad():
        own = model.extract_feat(inputs, stage='backbone')[-1].flatten(2)
        plans = transport_plan(own, own[drawn.partners], **PUBLISHED)
    shown = (raw if rgb else raw.flip(1)) / 255
    for pair, k in zip(pairs, kept):
        assert pair.lam == drawn.lam
        assert torch.allclose(pair.transport.plan, plans[k])
        assert pair.transport.grid == (4, 6)
        assert pair.transport.stride == (8, 8)
        assert torch.allclose(pair.images[0], shown[k], atol=1e-5)
        assert torch.allclose(pair.images[1], shown[drawn.partners[k]], atol=1e-5)
        assert not len(pair.boxes[0]) + len(pair.boxes[1])


def test_pixels_that_are_not_normalised_and_grey_ones():
    inputs = torch.randint(0, 256, (2, 3, 32, 32)).float()
    while not (pairs := align_images(built(), dict(inputs=inputs), True)):
        inputs = torch.cat([inputs, inputs])
    assert torch.equal(pairs[0].images[0], inputs[0] / 255)


def test_a_batch_of_one_has_no_pair():
    with pytest.raises(ValueError, match='raise --batch-size'):
        align_images(built(), dict(inputs=torch.zeros(1, 3, 32, 32)), True)


def test_cells_lie_all_over_the_grid():
    assert spread((4, 4), 4) == [5, 7, 13, 15]
    assert spread((7, 7), 4) == [8, 12, 36, 40]
    assert spread((4, 4), 1) == [10]
    assert spread((1, 1), 4) == [0]


def test_pictures_of_a_config(tmp_path, monkeypatch, capsys):
    write_glyphs(tmp_path / 'data/glyphs')
    monkeypatch.chdir(tmp_path)
    leaf = 'mmmix::classification/preact-r18_glyphs{}.py'
    options = ['--num-batches', '1', '--out', 'pictures', '--device', 'cpu']
    options += ['--cfg-options', *SMALL]
    main([leaf.format('_alignmix'), *options])
    assert '[1/1] pictures/batch_0.png' in capsys.readouterr().out
    assert cv2.imread('pictures/batch_0.png').std() > 10
    with pytest.raises(
        ValueError, match="got ImageClassifier .of a classifier 'AlignMixClassifier'"
    ):
        main([leaf.format('_cutmix'), *options])
