"""What can be done to a show while it runs, by key or by script."""
