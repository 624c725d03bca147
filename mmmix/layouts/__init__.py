"""Folders of images and labels as others leave them, read without torch or mmdet."""
