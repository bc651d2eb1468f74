"""A wiring as a picture: where its neurons stand, and how its synapses run between them."""
