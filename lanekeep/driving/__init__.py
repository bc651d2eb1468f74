"""Drivers in the world."""
