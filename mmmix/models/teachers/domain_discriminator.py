"""A network that tells the domains apart, and features that learn to fool it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from mmmix.functional.gradient_reversal import reverse_gradient
from mmmix.models.supervisions import Losses


@MODELS.register_module()
class DomainDiscriminator(nn.Module):
    """Says at every cell of a feature map whether its image is of the target.

    Convolutions of 3 x 3 with LeakyReLU between them, as Adaptive Teacher
    (https://arxiv.org/abs/2111.13216) has it. The features come in through a
    gradient reversal. It computes in float32 also where the detector does not.

    Args:
        in_channels: Channels of the feature map.
        feature: Which map of the student it sees: ``'backbone.0'`` is the first
            output of the backbone, ``'neck.1'`` the second one of the neck.
        channels: Channels of its hidden layers.

    Raises:
        ValueError: If a number of channels is not positive.
    """

    def __init__(
        self,
        in_channels: int,
        feature: str = 'backbone.0',
        channels: Sequence[int] = (256, 128, 128),
    ) -> None:
        super().__init__()
        widths = (in_channels, *channels, 1)
        if min(widths) < 1:
            raise ValueError(
                'in_channels and channels of DomainDiscriminator must be positive, got '
                f'{in_channels} and {tuple(channels)}'
            )
        self.in_channels = in_channels
        self.feature = feature
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1)
            for before, after in zip(widths, widths[1:])
        )

    @torch.no_grad()
    def reset(self, seed: int) -> None:
        """Start anew: draw all weights as ``nn.Conv2d`` does.

        Args:
            seed: The same seed gives the same weights on every device, in every
                process. No other random numbers are touched.
        """
        generator = torch.Generator().manual_seed(seed)
        for conv in self.convs:
            bound = 1.0 / math.sqrt(conv.weight[0].numel())
            for parameter in (conv.weight, conv.bias):
                drawn = torch.empty(parameter.shape)
                parameter.copy_(drawn.uniform_(-bound, bound, generator=generator))

    def forward(self, features: Tensor, reversal: float = 1.0) -> Tensor:
        """Logits of "this is the target domain".

        Args:
            features: ``(N, in_channels, H, W)``.
            reversal: Their gradient is multiplied by ``-reversal``.

        Returns:
            ``(N, 1, H, W)`` in float32.

        Raises:
            ValueError: If the features have other channels.
        """
        if features.shape[1] != self.in_channels:
            raise ValueError(
                f'DomainDiscriminator has in_channels={self.in_channels}, and the '
                f'feature map {self.feature!r} has {features.shape[1]} channels'
            )
        with torch.autocast(features.device.type, enabled=False):
            maps = reverse_gradient(features.float(), reversal)
            for conv in self.convs[:-1]:
                maps = nn.functional.leaky_relu(conv(maps), 0.2)
            return self.convs[-1](maps)

    def loss(self, source: Tensor, target: Tensor, reversal: float = 1.0) -> Losses:
        """Binary cross-entropy, mean over the cells of each domain.

        Args:
            source: Features of source images, ``(N, in_channels, H, W)``.
            target: Features of target images, ``(M, in_channels, H', W')``.
            reversal: See :meth:`forward`.

        Returns:
            ``loss_source`` and ``loss_target``, and ``acc``: the percentage of
            cells that are told right, mean of both domains. 50 is what guessing
            gets.
        """
        losses, right = {}, []
        for name, features, label in (('source', source, 0), ('target', target, 1)):
            logits = self(features, reversal)
            truth = torch.full_like(logits, label)
            losses[f'loss_{name}'] = binary_cross_entropy_with_logits(logits, truth)
            right.append(((logits > 0) == truth.bool()).float().mean())
        return losses | dict(acc=50.0 * (right[0] + right[1]))

    def idle_loss(self) -> Tensor:
        """0, with gradients of 0.

        Where gradients are averaged over processes, each parameter has to be part
        of the loss in every iteration.
        """
        return 0.0 * sum(parameter.sum() for parameter in self.parameters())
