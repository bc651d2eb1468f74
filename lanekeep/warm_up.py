"""`lanekeep warm-up`: compile everything ahead, for an image, a classroom, a continuous integration.

numba compiles a kernel when it is first called, and for each type of arguments anew.  So everything that has kernels is run
once in each of its forms: the world on fine days and in full weather, seen and shown with its by-products, one car and many;
the liquid core forward and backward.  What is compiled is kept (lanekeep_files/kernel_cache.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from lanekeep.driving.drivers import open_driver
from lanekeep.progress import progress
from lanekeep_envs import (
    Element,
    LaneKeepingEnv,
    LaneKeepingVectorEnv,
    Recolour,
    Remove,
    curvature_along,
    scenario_names,
)
from lanekeep_files.kernel_cache import kernels_folder


@dataclass(frozen=True)
class WarmUp:
    """Settings of `lanekeep warm-up`: it has none."""


def warm_up(settings: WarmUp) -> None:
    """Run everything that has kernels once."""
    parts: dict[str, Callable[[], None]] = {
        "the liquid core": run_core,
        "the world on a fine day": lambda: run_worlds(["country"]),
        "the world in all weather": lambda: run_worlds(scenario_names()),
    }
    with progress("compiling", total=len(parts)) as bar:
        for name, run in parts.items():
            bar.advance(0.0, note=name)
            run()
            bar.advance()
    print(f"everything is compiled, and kept in {kernels_folder()}")


def run_worlds(scenarios: list[str]) -> None:
    """Begin and drive an episode of one car and of two; look at it with by-products and under interventions."""
    for scenario in scenarios:
        for env in (LaneKeepingEnv(scenario), LaneKeepingVectorEnv(2, scenario)):
            env.reset(seed=0)
            env.step(np.zeros(env.action_space.shape))
            env.view(env.snapshot(), [Remove(Element.TREES), Recolour(Element.ROAD, (90.0, 90.0, 90.0))])
        curvature_along(env.scenario, 0)


def run_core() -> None:
    """Take a step with the shipped liquid driver, and a step of a training with a sequence."""
    driver = open_driver("ncp")
    state, frames = driver.initial_state(2).detach(), np.zeros((2, *driver.frame_size, 3), np.uint8)
    driver.step(frames, state)
    driver.stepper()(frames, state)
    actions, _ = driver(torch.from_numpy(frames)[:, None].expand(-1, 3, -1, -1, -1), state)
    actions.sum().backward()
