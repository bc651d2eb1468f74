"""Sky, fog, rain and snow."""
