"""The digits demo data: handwritten digits on photographs and textures.

A small detection task that needs no download: 1 to 4 handwritten digits of
scikit-learn's bundled set on a 160 px image, written in VOC layout. It is a
means of trying and testing, no benchmark. ``generate`` in the module of that
name writes it, ``tools/dataset_converters/make_digits.py`` is its command.

Naming: an *image size* or *glyph size* is in pixels; a box is
``(x_min, y_min, x_max, y_max)`` in 0-based pixel indices, both ends included;
an *alpha* is a float32 array in [0, 1], how much of a pixel the stroke covers;
colours are RGB in [0, 255].
"""

from mmmix.testing.digits.settings import CLASSES, DOMAINS, SPLITS, DigitsSettings

__all__ = ['CLASSES', 'DOMAINS', 'SPLITS', 'DigitsSettings']
