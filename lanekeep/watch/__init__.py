"""`lanekeep watch`: a driver drives, with its neurons beside the road."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # before anything here imports pygame
