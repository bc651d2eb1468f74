"""What every recurrent core is: features and one flat state in, outputs and state out, at any spacing in time.

    core(features [B, T, F], state [B, S], dt_s) -> (outputs [B, T, O], state [B, S])
`dt_s`, the time that passes before each step's result, is one number or [B, T].  Time is counted in `time_unit_s`:
elapsed = dt_s / time_unit_s, so that a core made for a control step of 50 ms sees elapsed = 1 there.  Where no time
passes nothing changes: a row with dt_s = 0 keeps its state, in cores without a notion of time as well.
B batch, T time, F features, S state, O outputs.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Run = Callable[[Tensor, Tensor, "float | Tensor"], tuple[Tensor, Tensor]]


class Core(nn.Module, ABC):
    """The recurrent part of a driver; a subclass says how its state moves, this class refuses what no core can read."""

    def __init__(self, input_size: int, state_size: int, output_size: int, time_unit_s: float = 0.05) -> None:
        super().__init__()
        if min(input_size, output_size) < 1 or state_size < 0:
            raise ValueError(
                f"A core needs at least one input and one output, and no negative number of states, "
                f"not {input_size}, {output_size} and {state_size}."
            )
        if not 0.0 < time_unit_s < math.inf:
            raise ValueError(f"The unit of time must be positive and finite, not {time_unit_s} s.")
        self.input_size, self.state_size, self.output_size = input_size, state_size, output_size
        self.time_unit_s = time_unit_s
        self.start: nn.Parameter | None = None

    @abstractmethod
    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        """Run checked features [B, T, F] from a state [B, S]; `elapsed` is the time of every step in time units, or [B, T].

        Returns outputs [B, T, O] and the state after the last step.
        """

    @property
    def stored_parameters(self) -> int:
        """How many numbers a training may change."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)

    @property
    def active_parameters(self) -> int:
        """How many of them can influence the outputs: all, unless a mask takes some out."""
        return self.stored_parameters

    def learn_start(self) -> None:
        """From now on the initial state is a parameter, which begins at zero; ValueError for a core without a state."""
        if self.state_size == 0:
            raise ValueError("a core without a memory has no initial state to learn")
        self.start = nn.Parameter(self.initial_state(1)[0])

    def initial_state(self, batch: int) -> Tensor:
        """State [B, S] of a core that has seen nothing: zero, unless it is learned."""
        if self.start is not None:
            return self.start.expand(batch, -1)
        like = next(self.parameters())
        return torch.zeros(batch, self.state_size, dtype=like.dtype, device=like.device)

    def forward(self, features: Tensor, state: Tensor, dt_s: float | Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, T, F] and state [B, S] to outputs [B, T, O] and the state after the last step.

        `dt_s` is the time each step lasts, one number or [B, T].  Raises ValueError for another shape, for a time that
        is negative or not finite, and for features or a state that hold NaN.
        """
        if features.ndim != 3 or features.shape[2] != self.input_size or 0 in features.shape[:2]:
            raise ValueError(
                f"features must be [batch, time, {self.input_size}] with at least one of each, not {list(features.shape)}."
            )
        if state.shape != (len(features), self.state_size):
            raise ValueError(f"the state must be {[len(features), self.state_size]}, not {list(state.shape)}.")
        elapsed = self._elapsed(dt_s, features.shape[:2])
        precision = next(self.parameters()).dtype
        if torch.is_autocast_enabled(
            features.device.type
        ):  # steps are small and add up: they keep the weights' precision
            with torch.autocast(features.device.type, enabled=False):
                return self.forward(features.to(precision), state.to(precision), dt_s)
        if features.dtype != precision or state.dtype != precision:
            raise ValueError(
                f"features and state must be {precision} as the core's weights are, not {features.dtype} and {state.dtype}."
            )
        if isinstance(elapsed, Tensor):
            elapsed = elapsed.to(precision)
        if is_nan_somewhere(features, state):
            raise ValueError("the features or the state hold NaN (not a number).")
        return self.run(features, state, elapsed)

    def prepared(self) -> Run:
        """`run`, for a core that can do so with its weights made ready once for many calls."""
        return self.run

    @torch.no_grad()
    def stepper(self) -> Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]:
        """One step at a time for driving: features [B, F], state [B, S] and dt_s to outputs [B, O] and state.

        Weights that are changed later may or may not take effect. Nothing is checked.
        """
        run = self.prepared()

        @torch.no_grad()
        def step(features: Tensor, state: Tensor, dt_s: float) -> tuple[Tensor, Tensor]:
            outputs, state = run(features[:, None], state, dt_s / self.time_unit_s)
            return outputs[:, 0], state

        return step

    def _elapsed(self, dt_s: float | Tensor, batch_and_time: torch.Size) -> float | Tensor:
        if not isinstance(dt_s, Tensor):
            if not 0.0 <= dt_s < math.inf:
                raise ValueError(f"dt_s, the time between two frames, must be finite and not negative, not {dt_s}.")
            return dt_s / self.time_unit_s
        if dt_s.shape != batch_and_time:
            raise ValueError(
                f"dt_s must be one number or {list(batch_and_time)} (batch, time), not {list(dt_s.shape)}."
            )
        if is_somewhere(~(torch.isfinite(dt_s) & (dt_s >= 0.0))):
            raise ValueError("dt_s, the time between two frames, must be finite and not negative in every row.")
        return dt_s / self.time_unit_s


def is_somewhere(condition: Tensor) -> bool:
    """Whether any element is true; False under `torch.func.vmap`, where a value cannot decide what is done."""
    try:
        return bool(condition.any() if condition.ndim else condition)
    except RuntimeError:
        return False


def is_nan_somewhere(*tensors: Tensor) -> bool:
    """Whether a tensor holds NaN; only then, or if infinities cancel, is the sum of its elements NaN."""
    try:
        return any(math.isnan(t.detach().sum()) and bool(t.isnan().any()) for t in tensors)
    except RuntimeError:  # under vmap
        return False


def in_turn(elapsed: float | Tensor, steps: int) -> tuple[Any, ...]:
    """The time of each step in turn: a number, or a column [B, 1]."""
    return elapsed.unsqueeze(2).unbind(1) if isinstance(elapsed, Tensor) else (elapsed,) * steps


def hold(new: Tensor, old: Tensor, elapsed: float | Tensor) -> Tensor:
    """The new state [B, S], but the old one in rows where no time has passed; `elapsed` is a number or [B, 1]."""
    if isinstance(elapsed, Tensor):
        return torch.where(elapsed > 0.0, new, old)
    return new if elapsed > 0.0 else old
