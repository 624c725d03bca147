"""What ``mmmix init`` takes where nothing is said."""

TO_COMPARE = 'boxmix'
"""The method to compare the plain detector with; docs/choose.md says why."""

TO_COMPARE_ANY = 'lossmix_alpha-0.2'
"""The same for detectors whose heads may not read BoxMix, and between domains."""

DETECTOR = 'ssd300'

VAL_SHARE = 0.2
"""Share of the images for validation where the folder has no split."""

SEED = 0
"""Of that split."""
