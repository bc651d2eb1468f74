"""Files, for the world, the drivers and the use alike: how one from outside is read, how one is written whole, who holds a
folder, and where compiled kernels are kept.

reading.py, writing.py, locks.py, parent.py, kernel_cache.py: import what is wanted from the file itself.
"""
