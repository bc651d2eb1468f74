"""The show: driven cars in step, and the actions that keys and scripts do to them."""
