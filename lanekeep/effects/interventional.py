"""The true effect of a variant of the scene on the steering, by showing the driver the same drive in both.

    now            a(x_t, h_t) - a(x'_t, h_t)           memory as it is, this one frame without the element
    with memory    a(x_t, h_t) - a(x'_t, h'_t)          absent for the last T frames at the same poses, memory run again
    pulse          a(x_s, h_s) - a(x_s, h'_s), s >= t   absent in frame t alone, and what is left of it later
    in closed loop where the car is after 3 s with it and without it, each driving on from the same instant

x is a frame, x' the same instant rendered without the element, h the memory that the driver has brought along, a the raw
action (positive to the left, in units of curvature_limit_per_m).  An effect is positive where the element's presence steers
to the left.  An element that is not to be seen has an effect of exactly zero, because its frame is the same to the bit.

The placebo changes every number of a frame by -1, 0 or +1 grey level, drawn anew: less than the noise of any sensor.  An
effect counts as one if it is beyond the 95th percentile of the placebos' effects on the same driver.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.driving.controllers import DriverController
from lanekeep.driving.rollout import Rollout
from lanekeep.effects.recorded_drive import RecordedDrive, ReRenderer, Variant
from lanekeep_envs import CONTROL_STEP_S, Camera, LaneKeepingVectorEnv, Snapshot
from lanekeep_policies import Driver

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
AT_ONCE = 128  # frames that go through a head in one call
AHEAD_S = 3.0  # of the closed loop
PLACEBOS = 8  # for each instant
PERCENTILE = 95.0


@torch.inference_mode()
def features_of(driver: Driver, frames: U8) -> Tensor:
    """Frames [..., H, W, 3] to features [..., F]."""
    flat = torch.from_numpy(np.ascontiguousarray(frames).reshape(-1, *frames.shape[-3:]))
    features = torch.cat([driver.features(part[:, None])[:, 0] for part in torch.split(flat, AT_ONCE)])
    return features.view(*frames.shape[:-3], -1)


@torch.inference_mode()
def steering(driver: Driver, frames: U8, states: Tensor) -> F64:
    """Raw actions [I, V] for frames [I, V, H, W, 3], each instant with its memory of [I, S]."""
    features = features_of(driver, frames)
    instants, variants = features.shape[:2]
    memories = states.repeat_interleave(variants, 0)
    actions, _ = driver.act(features.flatten(0, 1)[:, None], memories)
    return np.asarray(actions.view(instants, variants).numpy(), np.float64)


def now(
    driver: Driver, re_renderer: ReRenderer, snapshots: Sequence[Snapshot], states: Tensor, variants: Sequence[Variant]
) -> F64:
    """Effects [I, V] of what is absent in each variant, at instants with memories [I, S]."""
    actions = steering(driver, re_renderer.frames(snapshots, [(), *variants]), states)
    return actions[:, :1] - actions[:, 1:]


@torch.inference_mode()
def with_memory(
    driver: Driver, re_renderer: ReRenderer, snapshots: Sequence[Snapshot], state: Tensor, variants: Sequence[Variant]
) -> F64:
    """Effects [V] at the last of T instants in a row, all T of them without the element.

    `state` [1, S] is the memory at the first instant.
    """
    features = features_of(driver, re_renderer.frames(snapshots, [(), *variants])).transpose(0, 1)
    actions, _ = driver.act(features, state.expand(len(features), -1))
    last = actions[:, -1, 0].double().numpy()
    return np.asarray(last[0] - last[1:])


@torch.inference_mode()
def pulse(
    driver: Driver, re_renderer: ReRenderer, snapshots: Sequence[Snapshot], state: Tensor, variants: Sequence[Variant]
) -> F64:
    """Effects [V, T] on T instants in a row, when only the first was without the element."""
    whole = features_of(driver, re_renderer.frames(snapshots)[:, 0])
    first = features_of(driver, re_renderer.frames(snapshots[:1], [(), *variants]))[0]
    films = whole[None].repeat(len(first), 1, 1)
    films[:, 0] = first
    actions, _ = driver.act(films, state.expand(len(films), -1))
    curves = actions[..., 0].double().numpy()
    return np.asarray(curves[:1] - curves[1:])


def half_life_s(curves: F64) -> float:
    """Time after which half of a pulse's effect is gone, from the mean of |effects| [..., T] over all curves.

    Between two frames it is interpolated: half a frame, 0.025 s, for a driver that has no memory; infinite if it never falls
    to the half.
    """
    mean = np.abs(curves).reshape(-1, curves.shape[-1]).mean(0)
    half = 0.5 * mean[0]
    below = np.flatnonzero(mean <= half)
    if half == 0.0 or not len(below):
        return float("nan") if half == 0.0 else float("inf")
    k = int(below[0])
    share = (mean[k - 1] - half) / (mean[k - 1] - mean[k])
    return float((k - 1 + share) * CONTROL_STEP_S)


@dataclass(frozen=True)
class Forks:
    """V drives that went on from one instant, by their distance from the drive in which nothing is absent."""

    offsets_m: F64  # [V, steps], to the left of the undisturbed one
    departed: NDArray[np.bool_]  # [V]
    undisturbed_departed: bool


def closed_loop(
    driver: Driver, camera: Camera, recorded: RecordedDrive, at: int, state: Tensor, variants: Sequence[Variant]
) -> Forks:
    """Let the driver go on from an instant of a recorded drive, with everything and in every variant, for AHEAD_S."""
    cars, steps = 1 + len(variants), round(AHEAD_S / CONTROL_STEP_S)
    env = LaneKeepingVectorEnv(cars, recorded.scenario, camera, "state", autoreset_mode="Disabled")
    controller = DriverController(driver, cars)
    controller.state = state.expand(cars, -1).clone()
    rollout = Rollout(env, controller)
    rollout.variants = [(), *variants]
    rollout.restore(recorded.snapshots[at].forked(cars))
    offsets = np.zeros((steps, cars))
    departed = np.zeros(cars, np.bool_)
    for k in range(steps):
        outcome = rollout.step()
        # a car that has left its lane stays where it left it
        offsets[k] = np.where(departed, offsets[k - 1], rollout.infos["lateral_offset_m"])
        departed |= outcome.departed
    return Forks((offsets[:, 1:] - offsets[:, :1]).T, departed[1:], bool(departed[0]))


def placebos(frames: U8, draws: int = PLACEBOS, seed: int = 0) -> U8:
    """Frames [I, H, W, 3] to placebos of them [I, draws, H, W, 3], which look the same."""
    shape = (len(frames), draws, *frames.shape[1:])
    off = np.random.default_rng(seed).integers(-1, 2, shape, np.int16)
    changed: U8 = np.clip(frames[:, None] + off, 0, 255).astype(np.uint8)
    return changed


def placebo_threshold(driver: Driver, frames: U8, states: Tensor) -> float:
    """The effect above which one counts, from the placebos of frames [I, H, W, 3], seen with memories [I, S]."""
    actions = steering(driver, np.concatenate([frames[:, None], placebos(frames)], 1), states)
    return float(np.percentile(np.abs(actions[:, :1] - actions[:, 1:]), PERCENTILE))
