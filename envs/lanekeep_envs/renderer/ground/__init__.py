"""Scanlines of road and land, and what lies on them."""
