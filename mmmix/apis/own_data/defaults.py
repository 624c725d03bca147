"""What ``mmmix init`` takes where nothing is said."""

METHOD = 'boxmix'
"""The method of detectors whose heads have it; docs/choose.md says why."""

LOSS_METHOD = 'lossmix'
"""The method of all others: it weighs whole losses."""

DETECTOR = 'ssd300'

VAL_SHARE = 0.2
"""Share of the images for validation where the folder has no split."""
