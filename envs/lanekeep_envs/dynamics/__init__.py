"""What moves, and the line along which it moves."""
