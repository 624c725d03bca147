"""Runs that are killed, told to stop, or short of room."""
