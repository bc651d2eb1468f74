"""What the standard recurrent core, the GRU and the LSTM share: a layer of torch's own behind the contract of a core.

torch keeps two biases in such a layer, on W x and on U h.  The second is held at zero, so that no number is trained twice.
These cores have no notion of time: every `dt_s` > 0 is one update, and none is made if no time passes.
Weights start uniform in -1/sqrt(U)..1/sqrt(U), biases at zero.  B batch, T time, F features, U units.
"""

from abc import ABC
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lanekeep_policies.cores.core import Core, hold, in_turn, is_somewhere


class TorchLayer(Core, ABC):
    """One recurrent layer of torch; its state holds `vectors` of U numbers, the first of which is the output h."""

    def __init__(self, layer: Callable[..., nn.RNNBase], input_size: int, units: int, vectors: int = 1) -> None:
        super().__init__(input_size, vectors * units, units)
        self.cell = layer(input_size, units, batch_first=True)
        with torch.no_grad():
            self.cell.get_parameter("bias_hh_l0").zero_().requires_grad_(False)
            self.cell.get_parameter("bias_ih_l0").zero_()

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        if elapsed > 0.0 if not isinstance(elapsed, Tensor) else is_somewhere((elapsed > 0.0).all()):
            return self._update(features, state)
        outputs = []
        for step, time in zip(torch.split(features, 1, dim=1), in_turn(elapsed, features.shape[1]), strict=True):
            state = hold(self._update(step, state)[1], state, time)
            outputs.append(state[:, : self.output_size])
        return torch.stack(outputs, 1), state

    def _update(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, T, F] and state [B, S] to outputs [B, T, U] and state, one update a step."""
        vectors: Any = tuple(
            part.contiguous() for part in state.unsqueeze(0).chunk(self.state_size // self.output_size, -1)
        )
        outputs, last = self.cell(features, vectors if len(vectors) > 1 else vectors[0])
        return outputs, (last if isinstance(last, Tensor) else torch.cat(last, -1)).squeeze(0)
