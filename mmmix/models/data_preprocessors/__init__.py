"""Data preprocessors."""

from .optional_branch import OptionalBranchDataPreprocessor

__all__ = ['OptionalBranchDataPreprocessor']
