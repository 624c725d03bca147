"""What the commands are made of: training, testing, launching, checkpoints, checks."""
