"""The trained models of a study: named, loaded, applied."""
