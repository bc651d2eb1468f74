"""What is learned, how far off it is, and at which rates: the head of another driver, the loss, the optimiser."""

import torch
from torch import Tensor

from lanekeep.driving.drivers import open_driver
from lanekeep.errors import UserError
from lanekeep.imitation.settings import TrainImitation
from lanekeep_policies import CORES, Driver

CORE_LEARNING_RATE = 1e-3
LTC_LEARNING_RATE = 1e-2  # a conductance moves less per gradient than a weight
BETAS = (0.9, 0.98)  # gradients shrink tenfold within a training of 500 updates: a longer memory would stall it


def take_head(driver: Driver, name: str) -> None:
    """Give a driver the conv head of another one; the head learns nothing more."""
    other = open_driver(name)
    if other.frame_size != driver.frame_size or type(other.head) is not type(driver.head):
        size = "x".join(map(str, other.frame_size))
        raise UserError(f"--head {name}: that head is another one, of {other.spec.core} for frames of {size}")
    driver.head.load_state_dict(other.head.state_dict())
    driver.head.requires_grad_(False)


def imitation_loss(actions: Tensor, answers: Tensor, alpha: float) -> Tensor:
    """Weighted mean squared error over [B, T, 1]."""
    weights = torch.exp(alpha * answers.abs())
    return (weights * (actions - answers) ** 2).sum() / weights.sum()


def make_optimiser(driver: Driver, settings: TrainImitation) -> torch.optim.Adam:
    """Adam with a rate of its own for the head and for core and read-out."""
    usual = LTC_LEARNING_RATE if CORES[driver.spec.core].liquid else CORE_LEARNING_RATE
    rate = settings.core_learning_rate or usual
    slow = [p for p in driver.head.parameters() if p.requires_grad]
    fast = [p for p in (*driver.core.parameters(), *driver.readout.parameters()) if p.requires_grad]
    return torch.optim.Adam(
        [
            {"params": slow, "lr": settings.learning_rate, "initial_lr": settings.learning_rate},
            {"params": fast, "lr": rate, "initial_lr": rate},
        ],
        betas=BETAS,
        foreach=True,
    )
