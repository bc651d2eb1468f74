"""What stands on the ground: plants, posts, buildings, cars, and their shadows."""
