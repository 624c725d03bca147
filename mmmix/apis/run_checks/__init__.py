"""What ``mmmix check`` looks at before a training."""
