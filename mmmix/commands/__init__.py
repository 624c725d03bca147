"""The commands: one module each, which ``tools/`` hands on to."""
