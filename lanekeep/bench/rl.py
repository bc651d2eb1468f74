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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy

from lanekeep.bench.measures import Measures, report
from lanekeep.progress import progress
from lanekeep.reinforcement.lane_keeping_task import LaneKeepingTask
from lanekeep.reinforcement.policy import DriverPolicy, PolicySettings, Seen
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.reinforcement.train import hyperparameters
from lanekeep.settings import check_file, in_range
from lanekeep_policies import Driver

STOCK_UNITS = 64
PARTS = ("environment", "conv head", "core", "optimiser")


@dataclass(frozen=True)
class BenchRL:
    """How fast reinforcement learning is, next to the stock recurrent policy."""

    core: str = "ncp"
    """Core, as for `train rl`."""
    repeats: int = 5
    """Rollouts of each."""
    json: Path | None = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        in_range(self, "repeats", 1, 1000)


class Clock:
    """Seconds spent in each part of a training."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._since = 0.0

    def start(self) -> None:
        self._since = time.perf_counter()

    def charge(self, part: str) -> None:
        """What has passed since the last look goes to this part."""
        now = time.perf_counter()
        self.seconds[part] += now - self._since
        self._since = now


def watched(policy: type[RecurrentActorCriticPolicy], clock: Clock) -> type[RecurrentActorCriticPolicy]:
    """The same policy, which tells the clock when the head and the core begin and end."""

    class Watched(policy):  # type: ignore[misc, valid-type]
        def extract_features(self, *args: Any, **kwargs: Any) -> Any:
            clock.start()
            features = super().extract_features(*args, **kwargs)
            clock.charge("conv head")
            if features.requires_grad:
                features.register_hook(lambda _: clock.charge("core"))
            return features

        @staticmethod
        def _process_sequence(*args: Any) -> Any:
            clock.start()
            result = policy._process_sequence(*args)
            clock.charge("core")
            return result

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
        extractor = {"head": head, "features": head.features}
        own = {
            "lstm_hidden_size": STOCK_UNITS,
            "features_extractor_class": Seen,
            "features_extractor_kwargs": extractor,
        }
        own |= {"normalize_images": False, "ortho_init": False}
    policy = watched(RecurrentActorCriticPolicy if stock else DriverPolicy, clock)
    model = RecurrentPPO(
        policy,
        task.vec_env,
        **hyperparameters(settings, task.spec),
        policy_kwargs={**own, "log_std_init": math.log(settings.std)},
    )
    step = task.vec_env.step_wait

    def step_wait() -> Any:
        clock.start()
        result = step()
        clock.charge("environment")
        return result

    task.vec_env.step_wait = step_wait  # type: ignore[method-assign]
    model.policy.optimizer.register_step_pre_hook(lambda *_: clock.charge("conv head"))
    model.policy.optimizer.register_step_post_hook(lambda *_: clock.charge("optimiser"))
    return model


def take_turns(settings: TrainRL, repeats: int, title: str) -> dict[str, Measures]:
    """Steps per second of both in each repeat, and the shares of their time in percent."""
    clocks = {name: Clock() for name in (settings.core, "stock LSTM")}
    models = {name: learner(settings, name == "stock LSTM", clock) for name, clock in clocks.items()}
    steps = settings.cars * settings.horizon
    rows: dict[str, Measures] = {name: defaultdict(list) for name in models}
    with progress(title, 1 + repeats) as bar:
        for repeat in range(-1, repeats):  # the first warms up
            for name, model in models.items():
                clocks[name].seconds.clear()
                begin = time.perf_counter()
                model.learn(steps, reset_num_timesteps=repeat < 0)
                took = time.perf_counter() - begin
                if repeat >= 0:
                    rows[name]["steps per second"].append(steps / took)
                    for part in PARTS:
                        rows[name][f"{part}, %"].append(100.0 * clocks[name].seconds[part] / took)
            bar.advance()
    return rows


def bench_rl(settings: BenchRL) -> None:
    """Measure with frames, and with the state, where there is no conv head."""
    check_file(settings, "json")
    nowhere, measure = Path("nowhere"), f"{settings.core}_vs_stock_lstm_steps_per_s"
    rows, ratios = Measures(), dict[str, list[float]]()
    for observation, name_of_ratio in (("camera", measure), ("state", f"{measure}_state")):
        train = TrainRL(nowhere, core=settings.core, observation=observation)  # type: ignore[arg-type]
        measured = take_turns(train, settings.repeats, observation)
        for name, of in measured.items():
            rows |= {f"{observation}, {name}: {row}": values for row, values in of.items()}
        ours, theirs = (of["steps per second"] for of in measured.values())
        ratios[name_of_ratio] = [a / b for a, b in zip(ours, theirs, strict=True)]
    report("training with RecurrentPPO", rows | ratios, list(ratios), settings.json)
