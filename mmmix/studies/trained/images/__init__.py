"""The images of a study, and what is on them."""
