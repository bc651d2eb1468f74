"""The recurrent cores: every network of the lecture on liquid networks, one file each, behind one contract."""
