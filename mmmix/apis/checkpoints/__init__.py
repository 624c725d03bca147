"""Checkpoints: which one a run takes, and whether it fits."""
