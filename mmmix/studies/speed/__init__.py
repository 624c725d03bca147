"""Benchmarks of training steps, data loading and kernels."""
