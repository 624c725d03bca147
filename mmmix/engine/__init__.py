"""Hooks."""

from .hooks import MixPreviewHook, MixScheduleHook

__all__ = ['MixPreviewHook', 'MixScheduleHook']
