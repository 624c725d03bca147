"""What the study tools of ``tools/analysis_tools`` are made of."""
