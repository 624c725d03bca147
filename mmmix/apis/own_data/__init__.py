"""From a folder of images to a config: what ``mmmix init`` is made of; no torch."""
