"""The part of a driver that sees: frames or numbers to features."""
