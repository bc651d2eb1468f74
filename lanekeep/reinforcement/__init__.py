"""Reinforcement learning: a driver as the actor of sb3-contrib's RecurrentPPO."""

from lanekeep.reinforcement.cars import Cars
from lanekeep.reinforcement.policy import DriverPolicy
from lanekeep.reinforcement.rewards import Rewards

__all__ = ["Cars", "DriverPolicy", "Rewards"]
