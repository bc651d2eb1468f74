"""How numba compiles the kernels of the world."""
