"""What leads teachers."""
