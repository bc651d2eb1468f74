"""What an episode is sampled from: the file format of scenarios."""
