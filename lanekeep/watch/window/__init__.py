"""The window, its keys and a steering wheel."""
