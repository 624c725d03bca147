"""Trainings of several configs and seeds, and what they show."""
