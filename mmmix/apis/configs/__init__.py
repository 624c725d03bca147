"""Configs of a run: by name, with settings and a method merged in."""
