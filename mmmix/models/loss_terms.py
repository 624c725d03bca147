"""Which losses of a detector supervise box coordinates, and which do not.

mmdet's detectors return their losses by name. For most of them the name says what
is supervised; where it does not, a table says it for the class of the head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from torch import nn

# Endings of names, whatever comes before: ``d0.dn_loss_bbox``, ``s1.loss_rpn_reg``.
_REGRESSION = (
    # bbox_rf: VFNet; bbox_reg and bbox_cls, the bucket a side lies in: SABL
    *('bbox', 'bbox_rf', 'bbox_reg', 'bbox_cls', 'rpn_reg'),  # rpn_reg: Cascade RPN
    *('pts_init', 'pts_refine'),  # RepPoints
    *('xy', 'wh', 'l1'),  # YOLOv3, CenterNet, YOLOX
    *('loss_offset', 'off_loss', 'guiding_loss', 'centripetal_loss'),  # by corners
    *('dfl', 'loss_ld'),  # distributions of a side's offset: GFL, LD
    *('anchor_shape', 'loss_shape'),  # guided anchors
    'loss_grid',  # Grid R-CNN: where points of the box lie
    'loss_carl',  # PISA: box regression, weighted by the score
)
_OTHER = (
    *('cls', 'conf', 'obj', 'centerness', 'center_heatmap', 'anchor_loc', 'loss_loc'),
    *('det_loss', 'pull_loss', 'push_loss'),  # corners: heatmap, embedding
    *('mask', 'mask_iou', 'mask_project', 'mask_pairwise', 'dice', 'point'),
    *('loss_seg', 'segm', 'semantic_seg', 'glbctx'),
)

REGRESSION, OTHER, BOTH = 'regression', 'other', 'both'

# Class of a head -> ending -> what it supervises. It goes before the names above and
# holds for subclasses, if these have no entry of their own.
_HEADS: dict[str, dict[str, str]] = {
    # generalised IoU of the box itself
    'DETRHead': {'loss_iou': REGRESSION},
    'DIIHead': {'loss_iou': REGRESSION},
    # a predicted score of how good the box is, a binary cross-entropy
    'PAAHead': {'loss_iou': OTHER},
    'DDODHead': {'loss_iou': OTHER},
    # The probability of class and box together is one term.
    'FreeAnchorRetinaHead': {'positive_bag_loss': BOTH, 'negative_bag_loss': OTHER},
    'AutoAssignHead': {'loss_pos': BOTH, 'loss_neg': OTHER, 'loss_center': OTHER},
    # lanes: their points, and an IoU of these
    'CLRHead': {
        **dict.fromkeys(('iou_loss', 'reg_xytl_loss'), REGRESSION),
        **dict.fromkeys(('cls_loss', 'seg_loss'), OTHER),
    },
    'MultiInstanceBBoxHead': {'loss_rcnn_emd': BOTH, 'loss_rcnn_emd_ref': BOTH},
}


def regression_names(detector: nn.Module, names: Iterable[str]) -> set[str]:
    """The losses that supervise box coordinates.

    Args:
        detector: A detector of mmdet, or a wrapper around one.
        names: Names that its ``loss`` returned. Those without ``loss`` in them,
            accuracies say, are none.

    Raises:
        ValueError: If a name is not known to be the one or the other, or stands for
            both in one.
    """
    entries = list(_entries(detector))
    kinds = {
        name: _kind(name, entries, type(detector).__name__)
        for name in names
        if 'loss' in name
    }
    return {name for name, kind in kinds.items() if kind == REGRESSION}


def check_separable(detector: nn.Module) -> None:
    """Refuse a detector of which it is known that its terms cannot be told apart.

    Raises:
        ValueError: Naming its head and the loss.
    """
    for head, _, endings in _entries(detector):
        for name, kind in endings.items():
            if kind == BOTH:
                raise ValueError(_inseparable(name, head))


def declare_terms(
    head: str, regression: Iterable[str] = (), other: Iterable[str] = ()
) -> None:
    """Say what the losses of a head of one's own supervise.

    Args:
        head: Name of its class.
        regression: Endings of the names of losses of box coordinates.
        other: Endings of the names of all others.
    """
    _HEADS[head] = {
        **dict.fromkeys(regression, REGRESSION),
        **dict.fromkeys(other, OTHER),
    }


def _entries(detector: nn.Module) -> Iterator[tuple[str, bool, Mapping[str, str]]]:
    """Heads with an entry: their class, whether they are an RPN, and the entry."""
    for path, module in detector.named_modules():
        for cls in type(module).__mro__:
            if cls.__name__ in _HEADS:
                yield cls.__name__, 'rpn_head' in path, _HEADS[cls.__name__]
                break


def _kind(
    name: str, entries: Iterable[tuple[str, bool, Mapping[str, str]]], detector: str
) -> str:
    """What a loss supervises.

    Raises:
        ValueError: If that is not known, or both.
    """
    for head, proposes, endings in entries:
        if proposes != ('rpn' in name):
            continue
        for ending, kind in endings.items():
            if name.endswith(ending):
                if kind == BOTH:
                    raise ValueError(_inseparable(name, head))
                return kind
    kind = _by_name(name)
    if kind is None:
        raise ValueError(
            f'does {name!r} of {detector} supervise box coordinates? Its name does not '
            'tell. Say it with mmmix.models.loss_terms.declare_terms(head, '
            "regression=('...',), other=('...',)), where head is the name of the class "
            'that returns the loss'
        )
    return kind


def _by_name(name: str) -> str | None:
    """What a name says; None if it says nothing."""
    if name.endswith(_REGRESSION):
        return REGRESSION
    return OTHER if name.endswith(_OTHER) else None


def _inseparable(name: str, head: str) -> str:
    return (
        f'{name!r} of {head} is classification and box regression in one, so that they '
        'cannot be supervised apart. Mix both terms, LossMix(cls=True, reg=True), let '
        'pseudo-boxes teach both, semi_train_cfg.regress_pseudo=True, or choose '
        'another detector'
    )
