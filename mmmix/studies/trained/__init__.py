"""Studies of trained detectors."""
