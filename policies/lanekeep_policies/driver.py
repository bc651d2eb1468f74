"""A driver: head + core + linear read-out, from camera frames to a path curvature.

Frames [B, T, H, W, 3] uint8 -> features [B, T, F] -> core outputs [B, T, O] -> curvature [B, T, 1] in action units: an
action of 1 is the path curvature `curvature_limit_per_m`, positive to the left.  The memory is one flat state [B, S].
The read-out of an NCP is the one weight and bias of its motor neuron.  A core sees through the conv head of the NCP paper
and its F = 32 features, unless its row in `cores` names another head.

A driver may also be made for another world: for numbers [B, T, D] instead of frames, and for several actions, each in -1..1.
An NCP then has a motor neuron for each.
"""

import difflib
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, cast, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lanekeep_policies.arrays import array_of, tensor_of
from lanekeep_policies.cores import CORES
from lanekeep_policies.heads import Head
from lanekeep_policies.heads.vector import VectorHead
from lanekeep_policies.spec import DriverSpec
from lanekeep_policies.torch_defaults import torch_defaults


@final
class Driver(nn.Module):
    """Steers a car; raises ValueError for observations it was not made for."""

    def __init__(self, spec: DriverSpec) -> None:
        super().__init__()
        if spec.core not in CORES:
            near = difflib.get_close_matches(spec.core, CORES, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CORES)}."
            raise ValueError(f"unknown core {spec.core!r}: {hint}")
        self.spec = spec
        row = CORES[spec.core]
        head: Head = VectorHead(spec.numbers) if spec.numbers else row.head(*self.frame_size)
        self.head = cast(nn.Module, head)
        self.core = row.build(head.features, spec)
        self.readout = nn.Linear(self.core.output_size, spec.actions)
        if spec.learned_start:
            self.core.learn_start()

    @property
    def frame_size(self) -> tuple[int, int]:
        """Rows and columns of the frames it sees."""
        return self.spec.camera_height, self.spec.camera_width

    @staticmethod
    def build(spec: DriverSpec, seed: int) -> "Driver":
        """Return a new driver in float32 on the CPU.

        Its weights depend on the seed alone, and torch's global generator is left as it was.
        """
        with torch_defaults(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Driver(spec)

    @torch.no_grad()
    def calibrate(self, frames: Tensor, answers: Tensor) -> None:
        """Before training, give the actions of a motor neuron the mean and twice the deviation of the answers [B, T, 1].

        A motor neuron is three layers of saturating synapses away from the frame: in the beginning its potential lies
        anywhere in -1..1 and varies by about 0.03. A read-out of gain 1 would pass as little gradient to the synapses, and
        any fixed gain would multiply the offset. Scaling by data: Kraehenbuehl et al., ICLR 2016. Twice, because the
        sharpest answers are several deviations away, and must not lie where the synapses saturate. A core with many
        outputs is left alone.
        """
        if self.core.output_size > 1:
            return
        outputs, _ = self.core(self.features(frames), self.initial_state(len(frames)), self.spec.dt_s)
        settled = outputs[:, outputs.shape[1] // 2 :]  # past the start from the initial state
        gain = 2.0 * answers.std() / settled.std().clamp_min(1e-3)
        self.readout.weight.fill_(gain)
        self.readout.bias.fill_(answers.mean() - gain * settled.mean())

    @property
    def state_size(self) -> int:
        """Length S of the state."""
        return self.core.state_size

    def initial_state(self, batch: int) -> Tensor:
        """State [B, S] of a driver that has seen nothing."""
        return self.core.initial_state(batch)

    def features(self, observations: Tensor) -> Tensor:
        """Frames [B, T, H, W, 3], or numbers [B, T, D], to features [B, T, F]."""
        spec = self.spec
        size = (spec.numbers,) if spec.numbers else (*self.frame_size, 3)
        if (observations.dtype != torch.uint8 and not spec.numbers) or observations.shape[2:] != size:
            self._refuse(observations.dtype, observations.shape[2:])
        features: Tensor = self.head(observations.flatten(0, 1))
        return features.view(*observations.shape[:2], -1)

    def _refuse(self, dtype: object, size: Sequence[int]) -> NoReturn:
        spec, way_out = self.spec, ""
        reads = f"{spec.numbers} numbers" if spec.numbers else "uint8 frames of " + _by((*self.frame_size, 3))
        if not spec.numbers and str(dtype).removeprefix("torch.") != "uint8":
            way_out = ": bring them to 0..255 and convert them to uint8"
        raise ValueError(f"this driver reads {reads}, not {dtype} of {_by(size)}{way_out}")

    def _seen(self, observations: Any, bgr: bool = False) -> Tensor:
        """Observations of N cars, in any memory layout, as a tensor [N, 1, ...] where the driver is."""
        if not isinstance(observations, Tensor):
            array = np.asarray(observations)
            if not self.spec.numbers and array.dtype != np.uint8:
                self._refuse(array.dtype, array.shape[1:])
            observations = array
        seen = tensor_of(observations).to(self.readout.weight.device)[:, None]
        if bgr and self.spec.numbers:
            raise ValueError("bgr is the order of a frame's colours, and this driver reads numbers")
        return seen.flip(-1) if bgr else seen

    def forward(self, observations: Tensor, state: Tensor, dt_s: float | Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Frames [B, T, H, W, 3] and state [B, S] to curvature [B, T, 1] (action units, not clipped) and state."""
        return self.act(self.features(observations), state, dt_s)

    def act(self, features: Tensor, state: Tensor, dt_s: float | Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features [B, T, F] and state [B, S] to curvature [B, T, 1] and state."""
        outputs, state = self.core(features, state, self.spec.dt_s if dt_s is None else dt_s)
        return self.readout(outputs), state

    @torch.inference_mode()
    def step(
        self, observations: NDArray[Any] | Tensor, state: Tensor, bgr: bool = False
    ) -> tuple[NDArray[np.float32], Tensor]:
        """One frame per car [N, H, W, 3] and state [N, S] to actions [N, 1] and state, in the precision of the weights.

        `bgr` says that the colours of a frame stand in OpenCV's order.
        Raises FloatingPointError if an action is not finite.
        """
        with torch.autocast(state.device.type, enabled=False):
            actions, state = self(self._seen(observations, bgr), state)
        return _finite(actions[:, 0]), state

    def stepper(self) -> Callable[[NDArray[Any], Tensor], tuple[NDArray[np.float32], Tensor]]:
        """`step` for a whole drive: the core prepares its weights once and checks nothing but the action."""
        core_step = self.core.stepper()

        @torch.inference_mode()
        def step(observations: NDArray[Any], state: Tensor) -> tuple[NDArray[np.float32], Tensor]:
            with torch.autocast(state.device.type, enabled=False):
                features = self.features(self._seen(observations))[:, 0]
                outputs, state = core_step(features, state, self.spec.dt_s)
                return _finite(self.readout(outputs)), state

        return step

    def predict(
        self,
        observation: Any,
        state: tuple[NDArray[Any], ...] | None = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
        bgr: bool = False,
    ) -> tuple[NDArray[np.float32], tuple[NDArray[Any], ...]]:
        """stable-baselines3's `PolicyPredictor`: actions in [-1, 1] for one observation or N of them, and the state.

        Rows whose `episode_start` is set begin from the initial state; the driver has no randomness to switch off.
        `bgr` says that the colours of a frame stand in OpenCV's order.
        """
        seen = array_of(observation) if isinstance(observation, Tensor) else np.asarray(observation)
        single = seen.ndim == (1 if self.spec.numbers else 3)
        seen = seen[None] if single else seen
        start = self.initial_state(len(seen))
        memory = start if state is None else tensor_of(state[0]).to(start)
        if episode_start is not None:
            fresh = tensor_of(np.asarray(episode_start, np.uint8)).to(start.device).bool().reshape(-1, 1)
            memory = torch.where(fresh, start, memory)
        actions, memory = self.step(seen, memory, bgr)
        actions = np.clip(actions, -1.0, 1.0)
        return (actions[0] if single else actions), (array_of(memory),)


def _by(size: Sequence[int]) -> str:
    return "x".join(map(str, size))


def _finite(actions: Tensor) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = array_of(actions)
    if not np.isfinite(numbers).all():
        raise FloatingPointError("the driver's action is not finite: its weights or its state are damaged")
    return numbers
