"""How fast reinforcement learning is, next to stable-baselines3-contrib's own recurrent policy, and where the time goes.

Both learn by the same RecurrentPPO, on the same cars, through the same conv head, with the settings of `train rl`: a driver
with its core as this project runs it, and the stock policy with its `nn.LSTM` of 64 units, and another for its critic.  They
take turns, a rollout and what is learned from it each.

The shares are measured by looking at the clock where one part hands over to the next: forward where a module begins and
ends, backward where the gradient has reached the features, which is when the conv head's part begins.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy

from lanekeep.bench.measures import Measures, Turns, compared, in_turns, report, seconds_of
from lanekeep.reinforcement.lane_keeping_task import LaneKeepingTask
from lanekeep.reinforcement.policy import DriverPolicy, PolicySettings, Seen
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.reinforcement.train import hyperparameters
from lanekeep.settings import JsonFile, check_outputs, in_range
from lanekeep_policies import Driver

STOCK_UNITS = 64
STOCK, SPEED = "stock LSTM", "steps per second"
PARTS = ("environment", "conv head", "core", "optimiser")


@dataclass(frozen=True)
class BenchRL:
    """How fast reinforcement learning is, next to the stock recurrent policy."""

    core: str = "ncp"
    """Core, as for `train rl`."""
    repeats: int = 5
    """Rollouts of each."""
    json: JsonFile = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        check_outputs(self)
        in_range(self, "repeats", 1, 1000)


class Clock:
    """Seconds spent in each part of a training."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._since = 0.0

    def start(self) -> None:
        self._since = time.perf_counter()

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Work whose time goes to this part."""

        def work_in_time(*args: Any, **kwargs: Any) -> Any:
            self.start()
            result = work(*args, **kwargs)
            self.charge(part)
            return result

        return work_in_time

    def charge(self, part: str) -> None:
        """What has passed since the last look goes to this part."""
        now = time.perf_counter()
        self.seconds[part] += now - self._since
        self._since = now


def watched(policy: type[RecurrentActorCriticPolicy], clock: Clock) -> type[RecurrentActorCriticPolicy]:
    """A policy that tells the clock when its head and its core begin and end."""

    class Watched(policy):  # type: ignore[misc, valid-type]
        def extract_features(self, *args: Any, **kwargs: Any) -> Any:
            features = clock.timed("conv head", super().extract_features)(*args, **kwargs)
            if features.requires_grad:
                features.register_hook(lambda _: clock.charge("core"))
            return features

        _process_sequence = staticmethod(clock.timed("core", policy._process_sequence))

        def evaluate_actions(self, *args: Any, **kwargs: Any) -> Any:
            result = super().evaluate_actions(*args, **kwargs)
            clock.start()  # what follows is the loss and the way back to the features
            return result

    return Watched


def learner(settings: TrainRL, stock: bool, clock: Clock) -> RecurrentPPO:
    """A RecurrentPPO on cars of its own: with a driver as its policy, or with the stock one behind the same head."""
    task = LaneKeepingTask(settings, None)
    own: dict[str, Any] = {"spec": task.spec, "settings": PolicySettings(settings.seed)}
    if stock:
        head = Driver.build(task.spec, settings.seed).head
        own = {
            "lstm_hidden_size": STOCK_UNITS,
            "features_extractor_class": Seen,
            "features_extractor_kwargs": {"head": head, "features": head.features},
            "normalize_images": False,
            "ortho_init": False,
        }
    policy = watched(RecurrentActorCriticPolicy if stock else DriverPolicy, clock)
    model = RecurrentPPO(
        policy,
        task.vec_env,
        **hyperparameters(settings, task.spec),
        policy_kwargs={**own, "log_std_init": math.log(settings.std)},
    )
    task.vec_env.step_wait = clock.timed("environment", task.vec_env.step_wait)  # type: ignore[method-assign]
    model.policy.optimizer.register_step_pre_hook(lambda *_: clock.charge("conv head"))
    model.policy.optimizer.register_step_post_hook(lambda *_: clock.charge("optimiser"))
    return model


def rollouts(settings: TrainRL) -> Turns:
    """Turns in which both drive a rollout and learn from it: steps per second, and the shares of the time in percent."""
    clocks = {name: Clock() for name in (settings.core, STOCK)}
    models = {name: learner(settings, name == STOCK, clock) for name, clock in clocks.items()}
    steps = settings.cars * settings.horizon
    while True:
        numbers = dict[str, float]()
        for name, model in models.items():
            row, seconds = f"{settings.observation}, {name}", clocks[name].seconds
            seconds.clear()
            took = seconds_of(partial(model.learn, steps, reset_num_timesteps=False))
            numbers[f"{row}: {SPEED}"] = steps / took
            numbers |= {f"{row}: {part}, %": 100.0 * seconds[part] / took for part in PARTS}
        yield numbers


def bench_rl(settings: BenchRL) -> None:
    """Measure with frames, and with the state, where there is no conv head."""
    rows, ratios = Measures(), Measures()
    for observation, suffix in (("camera", ""), ("state", "_state")):
        train = TrainRL(Path("nowhere"), core=settings.core, observation=observation)  # type: ignore[arg-type]
        measured = in_turns(rollouts(train), settings.repeats)
        pair = f"{observation}, {settings.core}: {SPEED}", f"{observation}, {STOCK}: {SPEED}"
        ratios |= compared(measured, {f"{settings.core}_vs_stock_lstm_steps_per_s{suffix}": pair})
        rows |= measured
    report("training with RecurrentPPO", rows | ratios, ratios, settings.json)
