"""Settings of a training by reward: the flags of `lanekeep train rl`."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from lanekeep.errors import UserError
from lanekeep.reinforcement.rewards import Rewards
from lanekeep.settings import Positional, flag, in_range

REWARDS = {f"reward_{field.name}": field.name for field in fields(Rewards)}
OF_LANE_KEEPING = ("scenario", "camera", "observation", "validation_km", *REWARDS)
LIQUID_RATE = 5.0  # of an LTC in the head's: its synapses saturate, and a step of Adam moves their outputs by little
OF_A_NEW_DRIVER = ("core", "camera", "observation", "learned_start")


@dataclass(frozen=True)
class TrainRL:
    """Train a driver by reward, with RecurrentPPO; run it again to resume."""

    out: Positional[Path]
    """Folder of the checkpoint."""
    start: str | None = None
    """Driver to start from: a shipped one (ncp, lstm) or a folder; by default from nothing."""
    core: str = "ncp"
    """Core of a driver that starts from nothing; `lanekeep train imitation --help` lists them."""
    scenario: str = "country"
    """Roads to learn on: a name or the path of a .toml file."""
    camera: str = "32x96"
    """Rows x columns of the frames of a driver that starts from nothing."""
    observation: Literal["camera", "state"] = "camera"
    """What a driver that starts from nothing is given: frames, or in a first lesson the state of the car and the road."""
    env_id: str | None = None
    """Learn in another world, a gymnasium environment with a box of actions, such as CarRacing-v3."""
    action_repeat: int = 1
    """Steps of another world that each action lasts."""
    steps: int = 500_000
    """Control steps to drive in all."""
    cars: int = 16
    """Cars that drive side by side."""
    horizon: int = 128
    """Control steps of each car in a rollout."""
    batch: int = 512
    """Control steps of a minibatch; a sequence is cut where one ends."""
    epochs: int | None = None
    """Times that a rollout is learned from; by default 10 with numbers, 4 with frames, 2 with frames from a driver."""
    learning_rate: float | None = None
    """Adam's learning rate, by default 1e-3 and 3e-4 from a driver; like the next two it falls linearly to nothing."""
    core_learning_rate: float | None = None
    """Learning rate of core and read-out; by default five times as much for a core that holds an LTC, such as ncp."""
    critic_learning_rate: float | None = None
    """That of the critic; by default the same, and 3e-3 from a driver, whose critic knows nothing yet."""
    gamma: float = 0.97
    """Discount of a control step."""
    gae_lambda: float = 0.95
    """Generalised advantage estimation: 0 trusts the critic, 1 the returns."""
    clip: float = 0.2
    """How far the probability of an action may move in a rollout."""
    std: float = 0.25
    """Standard deviation of the actions in the beginning; it is learned."""
    entropy: float = 0.0
    """Weight of the entropy of the actions."""
    bptt: int = 0
    """Control steps that a gradient goes back; 0: as long as the sequence."""
    burn_in: int = 0
    """First steps of a sequence that only bring its state up to date."""
    learned_start: bool = False
    """Learn the state of a driver that has seen nothing, which is zero otherwise."""
    warm_up: int | None = None
    """Rollouts in which only the critic learns; by default 0, and 3 from a driver."""
    anchor: float = 0.0
    """Weight of the divergence from the driver it starts from."""
    reward_progress: float = Rewards.progress
    """Reward of a step at 30 m/s along the road."""
    reward_centring: float = Rewards.centring
    """Reward of a step in the middle of the lane."""
    reward_heading: float = Rewards.heading
    """Loss of a step at 0.05 rad across the lane."""
    reward_smoothness: float = Rewards.smoothness
    """Loss of a step with a lateral jerk of 10 m/s^3."""
    reward_departure: float = Rewards.departure
    """Loss of leaving the lane."""
    validation_km: float = 5.0
    """Held-out kilometres driven at the end."""
    seed: int = 0
    """Seed of everything."""
    recipe: Path | None = None
    """TOML file with these flags; what the command line says as well wins."""

    def __post_init__(self) -> None:
        in_range(self, "steps", 1, 10**12)
        in_range(self, "cars", 1, 10_000)
        in_range(self, "epochs", 1, 10_000)
        for name in ("learning_rate", "core_learning_rate", "critic_learning_rate"):
            in_range(self, name, 1e-12, 1.0)
        if self.observation == "state":
            self._refuse(("camera",), "belongs to a driver that sees frames, not the state")
        in_range(self, "horizon", 2, 100_000)
        in_range(self, "batch", 2, self.cars * self.horizon)
        for name in ("gamma", "gae_lambda", "clip"):
            in_range(self, name, 0.0, 1.0)
        in_range(self, "std", 1e-3, 10.0)
        in_range(self, "seed", 0, 2**32 - 1)
        for name in ("bptt", "warm_up"):
            in_range(self, name, 0, 10**12)
        in_range(self, "burn_in", 0, min(self.horizon, self.batch) - 1)
        if self.cars * self.horizon % self.batch == 1:
            raise UserError(
                f"--batch {self.batch} leaves a minibatch of a single step of the {self.cars * self.horizon} of a rollout, "
                "in which nothing can be compared; choose another"
            )
        for name in ("entropy", "anchor", *REWARDS):
            in_range(self, name, 0.0, 1000.0)
        in_range(self, "validation_km", 0.1, 900.0)
        if self.anchor > 0.0 and self.start is None:
            raise UserError("--anchor needs a driver to stay near: --start")
        if self.start is not None:
            self._refuse(OF_A_NEW_DRIVER, f"is that of the driver it starts from, {self.start}")
        if self.env_id is not None:
            self._refuse(OF_LANE_KEEPING, f"belongs to lane keeping, not to {self.env_id}")
        in_range(self, "action_repeat", 1, 1000)
        if self.env_id is None:
            self._refuse(("action_repeat",), "belongs to another world: --env-id")

    def _refuse(self, names: tuple[str, ...], why: str) -> None:
        for name in names:
            if getattr(self, name) != getattr(type(self), name):  # its default
                raise UserError(f"{flag(name)} {why}")

    @property
    def rate(self) -> float:
        """Learning rate of the head in the beginning."""
        return self.learning_rate or (1e-3 if self.start is None else 3e-4)

    def core_rate(self, liquid: bool) -> float:
        """Learning rate of a core, liquid or not, in the beginning."""
        return self.core_learning_rate or (LIQUID_RATE * self.rate if liquid else self.rate)

    @property
    def critic_rate(self) -> float:
        """Learning rate of the critic in the beginning."""
        return self.critic_learning_rate or (self.rate if self.start is None else 3e-3)

    def epochs_of(self, numbers: bool) -> int:
        """Times that a rollout of numbers or of frames is learned from."""
        return self.epochs or (10 if numbers else 4 if self.start is None else 2)

    @property
    def rollouts_of_critic(self) -> int:
        """Rollouts in which only the critic learns."""
        usual = 0 if self.start is None else 3
        return usual if self.warm_up is None else self.warm_up

    @property
    def steps_of_rollout(self) -> int:
        """Control steps of all cars in a rollout."""
        return self.cars * self.horizon

    @property
    def rollouts(self) -> int:
        """Rollouts in all."""
        return max(1, self.steps // self.steps_of_rollout)
