"""Hooks that switch mixing and show it."""

from .mix_preview_hook import MixPreviewHook
from .mix_schedule_hook import MixScheduleHook

__all__ = ['MixPreviewHook', 'MixScheduleHook']
