"""The colour of canvas that no image covers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmmix.mixing.checks import check_channels


def canvas_fill(
    mixer: str, pad: str, mean: Sequence[float] | None, std: Sequence[float] | None
) -> Tensor | None:
    """The colour after normalisation, shape ``(C, 1, 1)``; None for 0.

    Args:
        mixer: Name of the mixer, for messages.
        pad: ``'mean'`` or ``'black'``.
        mean: The preprocessor's, a number per channel or one for all.
        std: Likewise.

    Raises:
        TypeError: If ``mean`` or ``std`` is no list of numbers.
        ValueError: If they are missing, without effect, not finite, of different
            length, or ``std`` is not above 0.
    """
    if pad != 'black':
        if mean is not None or std is not None:
            raise ValueError(
                f'{mixer}(pad={pad!r}) pads with 0, the mean after normalisation, and '
                "does not read mean and std; leave them out, or write pad='black'"
            )
        return None
    if mean is None or std is None:
        raise ValueError(
            f"{mixer}(pad='black') blends normalised images and needs mean=[...] and "
            'std=[...] of the data_preprocessor'
        )
    means = check_channels(f'{mixer}.mean', mean)
    stds = check_channels(f'{mixer}.std', std, positive=True)
    if len(means) != len(stds) and 1 not in (len(means), len(stds)):
        raise ValueError(
            f'{mixer} has {len(means)} numbers as mean and {len(stds)} as std; give '
            'one for each channel, as the data_preprocessor has them'
        )
    return (-torch.tensor(means) / torch.tensor(stds)).view(-1, 1, 1)
