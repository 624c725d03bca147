"""Detect objects in a folder of images.

Writes pictures with the boxes, a data set in COCO format and label files in YOLO's,
which labelling programs read as a first draft. A checkpoint of a teacher detects as its
config says (semi_test_cfg), by its teacher. Images that cannot be read are skipped and
named at the end; then the exit code is 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import mmcv
import numpy as np
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData
from tqdm import tqdm

from mmmix.apis.arguments import COUNT, SCORE, Options, add_device_argument
from mmmix.apis.checkpoints.best import best_checkpoint
from mmmix.apis.checkpoints.loading import add_trust_argument
from mmmix.apis.configs.config_reading import config_name, read_config
from mmmix.apis.data_checks.images import UNREADABLE
from mmmix.apis.plain_errors import text_of
from mmmix.apis.run_command import run_command
from mmmix.layouts.writers import Boxes, coco_text, yolo_paths, yolo_texts
from mmmix.layouts.writing import check_writable, write_all
from mmmix.studies.trained.images.outside import folder_images
from mmmix.studies.trained.images.truth import blank_info
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detector
from mmmix.studies.trained.models.prediction import batches, predict

OUTPUTS = ('pictures', 'coco', 'yolo')
FOLDER = (
    'with images, or one image; hidden ones and results below it (work_dirs, runs, '
    'predictions, and the pictures in --out) are left out'
)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('folder', type=Path, help=FOLDER)
    add('config', help='of the training, or mmmix::NAME.py')
    add(
        'checkpoint',
        nargs='?',
        help='default: the best in the working directory of the training (work_dir of '
        'the config, else work_dirs/<name of the config>), else the last',
    )
    add('--out', type=Path, default=Path('predictions'), help='default: %(default)s')
    add(
        '--score-thr',
        type=SCORE,
        default=0.3,
        help='least score of what is written (default: %(default)s)',
    )
    add('--write', nargs='+', choices=OUTPUTS, default=OUTPUTS, help='default: all')
    add('--batch-size', type=COUNT, default=8, help='default: 8')
    add_device_argument(parser)
    add('--cfg-options', nargs='+', action=Options, metavar='KEY=VALUE')
    add_trust_argument(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Detect and write.

    Raises:
        FileNotFoundError: If the folder, the config or the checkpoint is missing.
        OSError: If files cannot be written to ``--out``.
        ValueError: If the checkpoint is another model's, the model is a classifier, or
            files would be written over images or one another; after all is written, if
            an image cannot be read.
    """
    args = parse_args(argv)
    root, images = images_of(args)
    check_outputs(images, root, args)
    checkpoint = args.checkpoint
    if checkpoint is None:
        work_dir = read_config(args.config, args.cfg_options).work_dir
        checkpoint = best_checkpoint(work_dir, args.config, args.trust_checkpoint)
    spec = ModelSpec(config_name(args.config), args.config, checkpoint)
    detector = load_detector(
        spec,
        args.device,
        args.cfg_options,
        args.trust_checkpoint,
        boxes=True,
        score_thr=args.score_thr,
    )
    print(f'{checkpoint}: {len(detector.classes)} classes, {len(images)} images')
    unread: list[str] = []
    found = list(detect(detector, images, root, args, unread))
    if found:
        write(found, detector.classes, args)
    if unread:
        raise ValueError(
            f'{len(unread)} of {len(images)} images cannot be read and were skipped:\n'
            + '\n'.join(unread)
        )


def images_of(args: argparse.Namespace) -> tuple[Path, list[Path]]:
    """The folder that names are below, and the images."""
    if args.folder.is_file():
        return args.folder.parent, [args.folder]
    return args.folder, folder_images(args.folder, args.out / 'pictures')


def check_outputs(images: Sequence[Path], root: Path, args: argparse.Namespace) -> None:
    """Make sure that all can be written before hours are spent on detecting.

    Raises:
        OSError: If a file cannot be written.
        ValueError: If two images would have the same label file, or a picture would
            take the place of an image.
    """
    names = [path.relative_to(root).as_posix() for path in images]
    files = [args.out / 'coco.json'] if 'coco' in args.write else []
    if 'yolo' in args.write:
        paths = [Path('data.yaml'), *yolo_paths(names)]
        files += [args.out / 'yolo' / path for path in paths]
    if 'pictures' in args.write:
        pictures = [args.out / 'pictures' / name for name in names]
        read = {path.resolve() for path in images}
        over = next((path for path in pictures if path.resolve() in read), None)
        if over:
            raise ValueError(
                f'{over} is an image to detect on, and a picture with boxes would be '
                'written over it; choose another --out'
            )
        files += pictures
    check_writable(files)


def write(
    found: Sequence[Boxes], classes: Sequence[str], args: argparse.Namespace
) -> None:
    """Write the files of all images, and say how much they hold."""
    files = {}
    if 'coco' in args.write:
        files[args.out / 'coco.json'] = coco_text(found, classes)
    if 'yolo' in args.write:
        texts = yolo_texts(found, classes)
        files.update({args.out / 'yolo' / path: text for path, text in texts.items()})
    write_all(files)
    boxes = sum(len(image.boxes) for image in found)
    empty = sum(not len(image.boxes) for image in found)
    print(
        f'{boxes} objects with a score of {args.score_thr:g} or more; {empty} images '
        f'without any. Written to {args.out}: {", ".join(args.write)}'
    )


def detect(
    detector: LoadedDetector,
    images: Sequence[Path],
    root: Path,
    args: argparse.Namespace,
    unread: list[str],
) -> Iterator[Boxes]:
    """Detect on all images, a batch at a time, and draw them.

    Args:
        detector: The detector.
        images: Their paths.
        root: The folder that their names are below.
        args: The command line.
        unread: Takes up a line on each image that cannot be read.
    """
    painter = DetLocalVisualizer()
    painter.dataset_meta = dict(classes=detector.classes)
    progress = tqdm(total=len(images), unit='image', disable=None)
    for part in batches(len(images), args.batch_size):
        read = read_images(detector, [images[index] for index in part], unread)
        paths, pixels = list(read), list(read.values())
        infos = [blank_info(str(p), image.shape[:2]) for p, image in zip(paths, pixels)]
        for path, image, sample in zip(
            paths, pixels, predict(detector, pixels, infos, args.batch_size)
        ):
            kept = sample.pred_instances
            kept = kept[kept.scores >= args.score_thr]
            name = path.relative_to(root).as_posix()
            if 'pictures' in args.write:
                draw(painter, image, kept, args.out / 'pictures' / name)
            yield Boxes(
                name,
                (image.shape[1], image.shape[0]),
                kept.bboxes.numpy(),
                kept.labels.tolist(),
                kept.scores.tolist(),
            )
        progress.update(len(part))
    progress.close()


def read_images(
    detector: LoadedDetector, paths: Sequence[Path], unread: list[str]
) -> dict[Path, np.ndarray]:
    """Decode images; a line on each that cannot be read goes to ``unread``."""
    read = {}
    for path in paths:
        try:
            read[path] = detector.read_image(dict(img_path=str(path)))
        except UNREADABLE as error:
            reason = ' '.join(text_of(error).split())
            unread.append(reason if str(path) in reason else f'{path}: {reason}')
    return read


def draw(
    painter: DetLocalVisualizer, image: np.ndarray, kept: InstanceData, path: Path
) -> None:
    """Save a picture with its boxes; ``image`` is BGR."""
    sample = DetDataSample(pred_instances=kept)
    painter.add_datasample(
        'image', mmcv.bgr2rgb(image), sample, draw_gt=False, pred_score_thr=0
    )
    mmcv.imwrite(mmcv.rgb2bgr(painter.get_image()), str(path))


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
