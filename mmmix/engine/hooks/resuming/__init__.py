"""What makes a run stop with all of it saved, and go on as if it never had."""
