"""From a scenario and a seed to one episode."""
