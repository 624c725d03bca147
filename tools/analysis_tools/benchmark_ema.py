#!/usr/bin/env python
"""Time MixTeacherHook against mmdet's MeanTeacherHook; see --help."""

from mmmix.commands.benchmark_ema import run

if __name__ == '__main__':
    run()
