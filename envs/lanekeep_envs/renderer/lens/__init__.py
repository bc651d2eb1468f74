"""What the lens, the shutter and the camera do to a finished picture."""
