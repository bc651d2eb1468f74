"""Wirings: which neuron drives which, how they are drawn at random from a seed, and how they are drawn on paper."""

from lanekeep_policies.wiring.drawing import draw
from lanekeep_policies.wiring.ncps import auto_wiring, ncps_wiring
from lanekeep_policies.wiring.paper import PAPER_SEED, ncp_wiring
from lanekeep_policies.wiring.unlayered import fully_connected, random_wiring
from lanekeep_policies.wiring.wiring import Fans, Wiring

__all__ = [
    "PAPER_SEED",
    "Fans",
    "Wiring",
    "auto_wiring",
    "draw",
    "fully_connected",
    "ncp_wiring",
    "ncps_wiring",
    "random_wiring",
]
