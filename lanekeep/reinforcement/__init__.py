"""Reinforcement learning: a driver as the actor of sb3-contrib's RecurrentPPO."""
