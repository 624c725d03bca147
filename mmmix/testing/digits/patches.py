"""Patches to transplant: digits cut out of backgrounds of their own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mmmix.layouts.writing import whole_folder
from mmmix.mixing.counters import counter_rng
from mmmix.testing.digits.backgrounds import make_background
from mmmix.testing.digits.glyphs import draw_stroke
from mmmix.testing.digits.settings import CLASSES, DOMAINS
from mmmix.testing.digits.sources import handwriting, samples_of
from mmmix.testing.digits.strokes import stroke_paint

GLYPH_SIZE = 128
"""Longer side of a glyph, about the largest that a patch has on an image."""

_STREAM = 1_000_000
"""Sets the draws of patches apart from those of images."""


def make_patch(
    label: int, sample: int, domain: str, rng: np.random.Generator
) -> np.ndarray:
    """A digit in the paint that it has on a random background of the test split.

    Args:
        label: The digit.
        sample: Index of the source digit in scikit-learn's set.
        domain: ``'source'`` or ``'target'``, for stroke, paint and background.
        rng: Decides everything else.

    Returns:
        ``(h, w, 4)`` uint8: RGB and opacity.
    """
    alpha = draw_stroke(domain, handwriting(sample), GLYPH_SIZE, rng)
    background, _ = make_background(domain, 'test', rng)
    height, width = alpha.shape
    paint = stroke_paint(domain, background[:height, :width], rng)
    color = np.broadcast_to(paint, (height, width, 3))
    patch = np.concatenate([color, 255 * alpha[..., None]], axis=2)
    return np.clip(patch.round(), 0, 255).astype(np.uint8)


def write_patches(
    out: str | Path, count: int = 3, domain: str = 'source', seed: int = 0
) -> bool:
    """Write ``count`` patches of each digit as ``CLASS/CLASS_K.png``.

    All glyphs are of the test split, each of another source digit. The folder
    appears whole or not at all. One that holds the same files already is left as it
    is.

    Args:
        out: The folder.
        count: Patches of each class, at most as many as the split has source digits
            of every class.
        domain: ``'source'`` or ``'target'``.
        seed: Non-negative seed.

    Returns:
        Whether anything was written.

    Raises:
        ValueError: If an argument is out of its range.
        FileExistsError: If ``out`` holds anything else.
        ImportError: If scikit-learn is not installed.
    """
    files = _files(count, domain, seed)
    out = Path(out).resolve()
    if out.exists():
        found = [path for path in out.rglob('*') if not path.is_dir()]
        held = {path.relative_to(out).as_posix(): path.read_bytes() for path in found}
        if held == files:
            return False
        if held:
            raise FileExistsError(
                f'{out} holds other files; remove it, or choose another folder by --out'
            )
    with whole_folder(out, replace=True) as draft:  # empty folders at most
        for name, content in files.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(content)
    return True


def _files(count: int, domain: str, seed: int) -> dict[str, bytes]:
    """The content of all files, by name."""
    most = min(len(samples_of('test', label)) for label in range(len(CLASSES)))
    if not 1 <= count <= most or seed < 0 or domain not in DOMAINS:
        raise ValueError(
            f'expected 1 to {most} patches of each class, a seed >= 0 and a domain '
            f'among {DOMAINS}; got {count}, {seed} and {domain!r}'
        )
    files = {}
    for label, name in enumerate(CLASSES):
        rng = counter_rng(seed, _STREAM + DOMAINS.index(domain), label)
        # All are permuted, so that fewer patches are the first ones of more.
        samples = rng.permutation(samples_of('test', label))[:count]
        for number, sample in enumerate(samples):
            patch = make_patch(label, int(sample), domain, rng)
            patch = cv2.cvtColor(patch, cv2.COLOR_RGBA2BGRA)
            encoded = cv2.imencode('.png', patch)[1]
            files[f'{name}/{name}_{number}.png'] = encoded.tobytes()
    return files
