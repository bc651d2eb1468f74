"""Mixed memory: a long short-term memory in front of another core, so that what is long past can still be learnt from.

    a, i, f, o = W x + b + U h, in this order    c <- sigmoid(f + 1) c + sigmoid(i) tanh(a)    h <- sigmoid(o) tanh(c)
    then h <- core(x, h, elapsed)
The gradient flows through c unhindered by the core's time constants; the core still decides how h moves with time.
State [B, S + S]: the core's h, then the memory c; outputs: the core's. The core's whole state is its h, as in LTC and CfC.
Where no time passes h and c both stay.
Lechner, Hasani, Learning long-term dependencies in irregularly-sampled time series, arXiv 2006.04418 (the ODE-LSTM). With
an LTC or CfC it equals ncps 1.0.1 under `mixed_memory=True`.
B batch, T time, F features, S states of the core.
"""

from collections.abc import Callable
from typing import final

import torch
from torch import Tensor, nn

from lanekeep_policies.cores.core import Core, hold, in_turn


@final
class Memory(nn.Module):
    """The gates of the long short-term memory; parameters and initial ranges are those of ncps' `LSTMCell`."""

    def __init__(self, inputs: int, states: int) -> None:
        super().__init__()
        self.input_map = nn.Linear(inputs, 4 * states)
        self.recurrent_map = nn.Linear(states, 4 * states, bias=False)
        nn.init.xavier_uniform_(self.input_map.weight)
        nn.init.uniform_(self.input_map.bias, -0.1, 0.1)
        nn.init.orthogonal_(self.recurrent_map.weight)

    def step(self, drive: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """What `input_map` made of the features [B, 4S], h and c [B, S] to the new h and c."""
        candidate, write, keep, read = torch.addmm(drive, h, self.recurrent_map.weight.T).chunk(4, 1)
        c = torch.sigmoid(keep + 1.0) * c + torch.sigmoid(write) * torch.tanh(candidate)
        return torch.sigmoid(read) * torch.tanh(c), c


@final
class MixedMemory(Core):
    """A core whose state passes through a long short-term memory before each of its steps.

    Raises ValueError for a core without state, and for one that has such a memory already.
    """

    def __init__(self, core: Core) -> None:
        if core.state_size == 0 or isinstance(core, MixedMemory):
            raise ValueError("Mixed memory goes around a core that has a state and no mixed memory yet.")
        super().__init__(core.input_size, 2 * core.state_size, core.output_size, core.time_unit_s)
        self.core = core
        self.lstm = Memory(core.input_size, core.state_size)

    @property
    def active_parameters(self) -> int:
        return self.stored_parameters - self.core.stored_parameters + self.core.active_parameters

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        h, c = state.chunk(2, 1)
        drive = self.lstm.input_map(features)
        outputs = []
        for t, time in enumerate(in_turn(elapsed, features.shape[1])):
            remembered, written = self.lstm.step(drive[:, t], h, c)
            # a row without time keeps its old h through the core as well
            h, c = hold(remembered, h, time), hold(written, c, time)
            output, h = self.core.run(features[:, t : t + 1], h, time)
            outputs.append(output)
        return torch.cat(outputs, 1), torch.cat([h, c], 1)

    @torch.no_grad()
    def stepper(self) -> Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]:
        core_step = self.core.stepper()

        @torch.no_grad()
        def step(features: Tensor, state: Tensor, dt_s: float) -> tuple[Tensor, Tensor]:
            h, c = state.chunk(2, 1)
            remembered, written = self.lstm.step(self.lstm.input_map(features), h, c)
            output, h = core_step(features, hold(remembered, h, dt_s), dt_s)
            return output, torch.cat([h, hold(written, c, dt_s)], 1)

        return step
