"""Data to try and to test with."""
