"""Detectors of mmdet with another loss, and otherwise themselves."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from typing import Any

from mmdet.models.detectors import BaseDetector, SemiBaseDetector
from mmdet.registry import MODELS


class DetectorWrapper(BaseDetector):
    """What the class of a detector builds, with methods of a subclass in front.

    Submodules, state-dict keys, data preprocessor and predictions are those of the
    detector, and the object is an instance of its class.

    Args:
        detector: Class of the detector, or its whole config.
        **settings: Arguments of the detector. They replace those in ``detector``.

    Raises:
        TypeError: If ``detector`` is no detector.
        KeyError: If its type is not registered.
    """

    def __new__(cls, detector: Any = None, **_: Any) -> DetectorWrapper:
        """An empty instance of a class that also is the detector's.

        Copying a model calls it on that class, without arguments.
        """
        if DetectorWrapper in cls.__bases__:
            cls = _combined_class(cls, _detector_class(cls.__name__, detector))
        return super().__new__(cls)

    def __reduce_ex__(self, protocol: int) -> tuple:
        """Pickle by the wrapper and the detector's class, whose mix has no name."""
        wrapper, detector = type(self).__bases__
        return _empty, (wrapper, detector), self.__dict__

    def __init__(self, detector: str | type | dict, **settings: Any) -> None:
        if isinstance(detector, Mapping):
            settings = {**detector, **settings}
            del settings['type']
        super().__init__(**settings)


def _empty(
    wrapper: type[DetectorWrapper], detector: type[BaseDetector]
) -> DetectorWrapper:
    """An instance without attributes, for unpickling."""
    return wrapper.__new__(wrapper, detector)


def _detector_class(wrapper: str, detector: Any) -> type[BaseDetector]:
    """The class that ``detector`` names.

    Raises:
        TypeError, KeyError: If it names none.
    """
    kind = detector.get('type') if isinstance(detector, Mapping) else detector
    if kind is None:
        raise TypeError(
            f"{wrapper} needs the class of a detector, detector='RetinaNet' say, or "
            f'its config, detector=dict(type=...); got detector={detector!r}'
        )
    cls = kind if isinstance(kind, type) else MODELS.get(kind)
    if cls is None:
        raise KeyError(f'detector: {kind!r} is not among the registered models')
    unfit = (DetectorWrapper, SemiBaseDetector)
    if not issubclass(cls, BaseDetector) or issubclass(cls, unfit):
        raise TypeError(
            "detector must be a plain detector of mmdet, such as 'RetinaNet', got "
            f'{cls.__name__}'
        )
    return cls


@functools.cache
def _combined_class(
    wrapper: type[DetectorWrapper], detector: type[BaseDetector]
) -> type[DetectorWrapper]:
    """``detector`` with the methods of ``wrapper`` in front."""
    return types.new_class(
        wrapper.__name__.removesuffix('Detector') + detector.__name__,
        (wrapper, detector),
        exec_body=lambda namespace: namespace.update(__module__=wrapper.__module__),
    )
