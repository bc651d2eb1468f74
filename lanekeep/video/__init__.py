"""Films and pictures, read and written."""
