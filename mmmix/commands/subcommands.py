"""The subcommands of ``mmmix``: what each is for, and where it is."""

from __future__ import annotations

from typing import NamedTuple


class Subcommand(NamedTuple):
    """One subcommand.

    Attributes:
        module: Its module in :mod:`mmmix.commands`.
        summary: What it does, in a line.
        example: Arguments that make sense.
        light: Whether it works without torch and mmdet.
    """

    module: str
    summary: str
    example: str
    light: bool = False


GROUPS: dict[str, dict[str, Subcommand]] = {
    'from a folder of images to a detector': {
        'init': Subcommand(
            'init', 'write a config for a folder of images', 'data/mine', light=True
        ),
        'check': Subcommand(
            'check', 'look for faults before a training', 'mine.py', light=True
        ),
        'train': Subcommand('train', 'train a detector or a classifier', 'mine.py'),
        'test': Subcommand(
            'test',
            'test a detector or a classifier and print its metrics',
            'mine.py work_dirs/mine/epoch_12.pth',
        ),
        'browse': Subcommand(
            'browse_mix', 'save pictures of mixed batches', 'mine.py --num-batches 2'
        ),
        'predict': Subcommand(
            'predict',
            'detect in a folder of images: pictures, COCO and YOLO files',
            'new_images mine.py --out predictions',
        ),
        'export': Subcommand(
            'export_detector',
            'write a detector, or a teacher, for mmdet and DetInferencer',
            'mmmix::semi/ssd300_voc07-voc12u_mean-teacher.py iter_120000.pth',
        ),
        'ray-train': Subcommand(
            'ray_train',
            'train in workers of Ray Train',
            'mine.py --workers 4 --work-dir /shared/mine --storage /shared/ray',
        ),
    },
    'data, configs and comparisons': {
        'configs': Subcommand(
            'configs', 'list configs and methods', 'ssd300 lossmix', light=True
        ),
        'completion': Subcommand(
            'completion', 'print what completes the commands in a shell', 'bash'
        ),
        'split': Subcommand(
            'split_semi',
            'split a training set into labelled and unlabelled images',
            'data/mine/ImageSets/Main/train.txt --percents 10',
        ),
        'study': Subcommand(
            'study',
            'configs x seeds, resumable: mean and spread',
            'mine.py mine.py+lossmix --work-dir work_dirs/study',
        ),
        'plot-gain': Subcommand(
            'plot_gain',
            'draw what methods gain, study by study',
            '100=work_dirs/100 300=work_dirs/300 --out gain.png',
        ),
        'object-crops': Subcommand(
            'make_object_crops',
            'crop the objects of a VOC data set, for classifiers',
            'data/VOCdevkit/VOC2012 --splits train val --out data/crops',
        ),
        'glyphs': Subcommand(
            'make_glyphs', 'handwritten digits, for classifiers', '--out data/glyphs'
        ),
        'voc-animals': Subcommand(
            'make_voc_animals',
            'six animals of VOC2012 at 256 px, as in the evidence',
            'data/VOCdevkit/VOC2012',
        ),
        'digits': Subcommand(
            'make_digits', 'generate the demo data', '--out data/digits'
        ),
        'digit-patches': Subcommand(
            'make_digit_patches',
            'digits on transparent ground, for transplant',
            '--out data/digit_patches',
        ),
        'object-patches': Subcommand(
            'make_object_patches',
            'objects of photographs on transparent ground, for transplant',
            'data/VOCdevkit/VOC2012 --split val --out data/patches',
        ),
    },
    'studies of trained models': {
        'robustness': Subcommand(
            'robustness',
            'what is lost under noise, corruptions, occlusion and FGSM',
            'mine.py@epoch_12.pth --out robustness',
        ),
        'transplant': Subcommand(
            'transplant',
            'whether an object is found where it does not belong',
            'mine.py@epoch_12.pth --patches data/digit_patches --out transplant',
        ),
        'uncertainty': Subcommand(
            'uncertainty',
            'whether a model is sure of images of nothing',
            'mine.py@epoch_12.pth --out uncertainty',
        ),
        'in-between': Subcommand(
            'in_between',
            'what a model sees between two images',
            'mine.py@epoch_12.pth --out in_between',
        ),
        'calibration': Subcommand(
            'calibration',
            'whether a score is a probability',
            'mine.py@epoch_12.pth --out calibration',
        ),
        'image-intervals': Subcommand(
            'image_intervals',
            'whether other test images would tell the same',
            'plain=my_ssd.py@a.pth boxmix=my_ssd.py@b.pth --out intervals',
        ),
        'flattening': Subcommand(
            'plot_flattening',
            'how flat the representations of a class are',
            'mine.py@epoch_12.pth --out flattening',
        ),
        'compare': Subcommand(
            'compare_detections',
            'detections of several models beside the annotations',
            'plain=mine.py@a.pth boxmix=mine.py@b.pth --out compared',
        ),
        'cams': Subcommand(
            'browse_cam',
            'where a classifier looks, with boxes',
            'mmmix::classification/r50-cam_cub.py@epoch_600.pth --out cams',
        ),
        'alignment': Subcommand(
            'browse_alignment',
            'what AlignMix carries from one image to another',
            'mmmix::ssd300_voc_alignmix.py',
        ),
    },
    'speed': {
        'benchmark': Subcommand(
            'benchmark_step',
            'time a training step of configs beside a reference',
            'mmdet::ssd/ssd300_coco.py mmmix::ssd300_coco_boxmix.py',
        ),
        'benchmark-data': Subcommand(
            'benchmark_data', 'samples a second of loading and mixing', 'mine.py'
        ),
        'benchmark-ema': Subcommand(
            'benchmark_ema', "time of a teacher's update, ours and mmdet's", ''
        ),
        'benchmark-sinkhorn': Subcommand(
            'benchmark_sinkhorn', "time and memory of AlignMix's plan", ''
        ),
        'benchmark-gpu': Subcommand(
            'benchmark_gpu',
            'the price of mixed training on this machine, for six detectors',
            '--out price',
        ),
        'count-ops': Subcommand(
            'count_ops',
            'what a GPU would launch and wait for in a step',
            'mmdet::ssd/ssd300_coco.py mmmix::ssd300_coco_boxmix.py',
        ),
    },
}
"""The subcommands by their names, in the order of ``mmmix --help``."""

SUBCOMMANDS = {
    name: command for group in GROUPS.values() for name, command in group.items()
}
