"""What perturbed and adversarial images cost detectors."""
