"""How a report speaks of what a model is for: a detector of objects, a classifier."""

from __future__ import annotations

from typing import NamedTuple

from mmengine.config import Config

from mmmix.registry import is_classifier


class Words(NamedTuple):
    """What differs between the reports on a detector and on a classifier.

    Attributes:
        things: What has a class.
        data: What says which.
        more: How to come by more of them.
        more_of_class: What to do about a class that has few.
        never_learned: What becomes of classes without one to train on.
        split_anew: What to do about these.
        shares_differ: What shares of classes mean that differ between the splits.
        weights: Where weights to start from are.
        copies: What to do about images of two splits that look alike.
        zero_loss: Where a loss of exactly 0 may come from.
        infinite_loss: Where one that is not finite may come from.
    """

    things: str
    data: str
    more: str
    more_of_class: str
    never_learned: str
    split_anew: str
    shares_differ: str
    weights: str
    copies: str
    zero_loss: str
    infinite_loss: str


OF_DETECTOR = Words(
    things='objects',
    data='annotations',
    more='label more',
    more_of_class='label more of them, or take the class out',
    never_learned='the training images have none: their AP stays 0',
    split_anew='label some for training, or split anew',
    shares_differ='figures weigh all classes alike; label more of those that are rare '
    'in training',
    weights='few images need pretrained weights; mmmix init names those of a detector '
    'on COCO',
    copies='take them out of one list; mmmix init keeps them on one side of its split',
    zero_loss='look whether the boxes and classes of the data reach the heads: mmmix '
    'browse CONFIG',
    infinite_loss='look for broken boxes above; else lower the learning rate',
)
OF_CLASSIFIER = Words(
    things='images',
    data='data',
    more='add more',
    more_of_class='add more of them, or take the class out of all splits',
    never_learned='the training data has none: the accuracy on these images stays 0',
    split_anew='move some of each to the training data, or split anew',
    shares_differ='accuracy weighs all images alike, so it is about the shares of this '
    'split: draw all splits alike, or add images of those that are rare in training',
    weights='few images need pretrained weights: load_from = a checkpoint of '
    "mmpretrain's model zoo with this backbone, or of a training of your own",
    copies='take them out of one of the splits',
    zero_loss='the softmax over one class is always sure of it: add a class of other '
    'images',
    infinite_loss='look at mean and std of model.data_preprocessor, and at the labels '
    'above; else lower the learning rate',
)


def words_of(cfg: Config) -> Words:
    """The words for what a config is of."""
    return OF_CLASSIFIER if is_classifier(cfg) else OF_DETECTOR
