"""Batches of several branches, some of which may be empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmdet.models.data_preprocessors import MultiBranchDataPreprocessor
from mmdet.registry import MODELS


@MODELS.register_module()
class OptionalBranchDataPreprocessor(MultiBranchDataPreprocessor):
    """``MultiBranchDataPreprocessor`` for batches without images of a branch.

    ``MultiBranch`` writes every branch of its ``branch_field`` into every sample,
    with None where the sample has no part in it, and mmdet's preprocessor fails on
    a branch that is None in all samples. This one leaves such a branch out, so that
    the same pipelines serve batches of one domain and of two.

    Args:
        data_preprocessor: Config of the ``DetDataPreprocessor`` of every branch.
    """

    def forward(self, data: Mapping[str, Any], training: bool = False) -> dict:
        """Preprocess each branch.

        Args:
            data: In training ``inputs`` and ``data_samples``, each a dict of
                branches with one entry or None per sample; it is left as it is.
                Otherwise a plain batch.
            training: Whether this is a training batch.

        Returns:
            In training ``inputs`` and ``data_samples``, each a dict of the branches
            that have any image. Otherwise as ``DetDataPreprocessor``.
        """
        if training:
            data = {
                key: {name: part for name, part in branches.items() if _any_of(part)}
                for key, branches in data.items()
            }
        return super().forward(data, training)


def _any_of(part: Any) -> bool:
    """Whether any sample has a part in a branch."""
    return any(item is not None for item in part)
