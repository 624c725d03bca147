"""What ``mmmix init`` takes where nothing is said."""

METHOD = 'boxmix'
"""The method of most detectors; docs/choose.md says why."""

DETECTOR = 'ssd300'

VAL_SHARE = 0.2
"""Share of the images for validation where the folder has no split."""
