"""Studies: of trained models, of speed, and over seeds."""
