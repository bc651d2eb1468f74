"""Reinforcement learning: a driver as the actor of sb3-contrib's RecurrentPPO."""

from lanekeep.reinforcement.policy import DriverPolicy
from lanekeep.reinforcement.rewards import Rewards
from lanekeep.reinforcement.sb3_vec_env import SB3VecEnv

__all__ = ["DriverPolicy", "Rewards", "SB3VecEnv"]
