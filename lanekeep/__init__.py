"""Train, watch and compare 19-neuron lane-keeping drivers."""
