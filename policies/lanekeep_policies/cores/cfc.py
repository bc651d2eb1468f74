"""Closed-form continuous-time (CfC) core: a liquid network whose step is a formula, not a solver.

    z = backbone([I, h]), or [I, h] itself without a backbone;    four affine heads of z: ff1, ff2, time_a, time_b
    default   a = tanh ff1, b = tanh ff2, s = sigmoid(elapsed time_a + time_b);    h <- a (1 - s) + b s
    no-gate   h <- a + b s
    pure      h <- A - A exp(-elapsed (|w_tau| + |ff1|)) ff1,  one head only
The backbone is a stack of affine layers, each followed by the activation; the paper's is 1.7159 tanh(0.666 x).
State h [B, U]; outputs: h. Elapsed time is counted in `time_unit_s`. The formulas do not give the old state back as the
elapsed time goes to zero (closed_form.py says what became of that solution), but where none passes at all the state stays.

The heads are one matrix, and what the first layer makes of the features is computed for a whole sequence at once.
Hasani et al., Closed-form continuous-time neural networks, Nat. Mach. Intell. 4, 992-1003 (2022), eq. 4 (default) and
Theorem 1 (pure). It equals `CfC(proj_size=None)` of ncps 1.0.1 in its three modes and starts in the same distributions.
B batch, T time, F features, U units, Z length of z.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import ClassVar, NamedTuple, TypeVar, cast, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lanekeep_policies.cores.core import Core, Run, is_somewhere

Choice = TypeVar("Choice")
Layers = list[tuple[Tensor, Tensor]]  # weight [out, in] and bias [out] of each


class Mode(nn.Module, ABC):
    """How the heads of U units, `heads` names in turn, become their new state."""

    heads: ClassVar[tuple[str, ...]] = ("ff1", "ff2", "time_a", "time_b")

    def __init__(self, layers: Sequence[int]) -> None:
        """For units in layers of these sizes."""
        super().__init__()

    @abstractmethod
    def solve(self, z: Tensor, elapsed: Tensor) -> Tensor:
        """Heads [B, heads * U] and elapsed time, [B or 1, U or 1], to the state [B, U] if some time has passed."""


@final
class Default(Mode):
    """Two states, and a gate of time between them."""

    def solve(self, z: Tensor, elapsed: Tensor) -> Tensor:
        early, late, gate = _states_and_gate(z, elapsed)
        return torch.lerp(early, late, gate)


@final
class NoGate(Mode):
    """The second state comes on top of the first."""

    def solve(self, z: Tensor, elapsed: Tensor) -> Tensor:
        early, late, gate = _states_and_gate(z, elapsed)
        return torch.addcmul(early, late, gate)


@final
class Pure(Mode):
    """The approximate solution of the LTC's equation; `A` is where the state goes, `w_tau` the rate without input."""

    heads: ClassVar[tuple[str, ...]] = ("ff1",)

    def __init__(self, layers: Sequence[int]) -> None:
        super().__init__(layers)
        # ncps sets them to 0 and 1, and then draws them again as the [1, U] matrices they are there
        self.w_tau = nn.Parameter(torch.cat([nn.init.xavier_uniform_(torch.empty(1, n))[0] for n in layers]))
        self.A = nn.Parameter(torch.cat([nn.init.xavier_uniform_(torch.empty(1, n))[0] for n in layers]))

    def solve(self, z: Tensor, elapsed: Tensor) -> Tensor:
        decay = torch.exp(-elapsed * (self.w_tau.abs() + z.abs()))
        return torch.addcmul(self.A, self.A * decay, z, value=-1.0)


def _states_and_gate(z: Tensor, elapsed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    units = z.shape[1] // 4
    early, late = torch.tanh(z[:, : 2 * units]).chunk(2, 1)
    rate, offset = z[:, 2 * units :].chunk(2, 1)
    return early, late, torch.sigmoid(torch.addcmul(offset, rate, elapsed))


MODES: dict[str, type[Mode]] = {"default": Default, "no-gate": NoGate, "pure": Pure}


class Activation(NamedTuple):
    """y = gain * function(stretch * x)."""

    function: Callable[[Tensor], Tensor]
    stretch: float = 1.0
    gain: float = 1.0


ACTIVATIONS: dict[str, Activation] = {
    "lecun_tanh": Activation(torch.tanh, 0.666, 1.7159),
    "silu": Activation(F.silu),
    "relu": Activation(torch.relu),
    "tanh": Activation(torch.tanh),
    "gelu": Activation(F.gelu),
}


@final
class CfC(Core):
    """One fully connected layer of closed-form units; raises ValueError for sizes, modes and activations there are not."""

    def __init__(
        self,
        input_size: int,
        units: int = 64,
        mode: str = "default",
        backbone_units: int = 128,
        backbone_layers: int = 1,
        activation: str = "lecun_tanh",
        time_unit_s: float = 0.05,
    ) -> None:
        super().__init__(input_size, units, units, time_unit_s)
        if backbone_layers < 0 or backbone_units < 1:
            raise ValueError(
                f"A backbone has no negative number of layers, and at least one unit in each, "
                f"not {backbone_layers} and {backbone_units}."
            )
        self.activation = choose(activation, ACTIVATIONS, "activation")
        self.mode = choose(mode, MODES, "mode")([units])
        sizes = [input_size + units, *[backbone_units] * backbone_layers]
        self.backbone = nn.ModuleList(affine(before, after, blocks=1) for before, after in pairwise(sizes))
        self.heads = affine(sizes[-1], units, blocks=len(self.mode.heads))

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        return self._run(self._layers(), features, state, elapsed)

    def prepared(self) -> Run:
        return partial(self._run, self._layers())

    def _run(self, layers: Layers, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        (weight, bias), *deeper = layers
        drive = F.linear(features, weight[:, : self.input_size], bias)
        recurrent = weight[:, self.input_size :].T
        held = time_may_stand_still(elapsed)
        times = column_per_step(elapsed, features)
        states = []
        for z, time in zip(drive.unbind(1), times.unbind(1), strict=True):
            z = torch.addmm(z, state, recurrent)
            for weight, bias in deeper:
                z = torch.addmm(bias, self.activation.function(z), weight.T)
            new = self.mode.solve(z, time)
            state = torch.where(time > 0.0, new, state) if held else new
            states.append(state)
        return torch.stack(states, 1), state

    def _layers(self) -> Layers:
        """Weight and bias of each layer, with the scales of the activation in those before and after it."""
        _, stretch, gain = self.activation
        layers: Layers = []
        for layer in (*linears(self.backbone), self.heads):
            weight: Tensor = layer.weight
            bias: Tensor = layer.bias
            if layers and gain != 1.0:
                weight = weight * gain
            if layer is not self.heads and stretch != 1.0:
                weight, bias = weight * stretch, bias * stretch
            layers.append((weight, bias))
        return layers

    def blocks(self) -> dict[str, Tensor]:
        """A copy of all weights under their names in the state dict of ncps' `CfC`, without the prefix `rnn_cell.`."""
        return {name: view.clone() for name, view in self._views().items()}

    def load_blocks(self, blocks: Mapping[str, Tensor]) -> None:
        """Take over weights as `blocks` gives them; raises ValueError for missing, foreign or misshapen ones."""
        copy_blocks(blocks, self._views())

    def _views(self) -> dict[str, Tensor]:
        views: dict[str, Tensor] = {}
        for i, layer in enumerate(linears(self.backbone)):  # in ncps the activations between take the odd numbers
            views |= {f"backbone.{2 * i}.weight": layer.weight, f"backbone.{2 * i}.bias": layer.bias}
        views |= head_views(self.heads, self.mode.heads)
        views |= {name: parameter[None] for name, parameter in self.mode.named_parameters()}
        return {name: view.detach() for name, view in views.items()}


def choose(name: str, choices: Mapping[str, Choice], kind: str) -> Choice:
    """The choice of that name; raises ValueError if there is none."""
    if name not in choices:
        raise ValueError(f"The {kind} of a CfC is one of {', '.join(choices)}, not {name!r}.")
    return choices[name]


def affine(inputs: int, outputs: int, blocks: int) -> nn.Linear:
    """`blocks` affine maps of the same inputs in one, each with a weight drawn from its own Xavier range."""
    layer = nn.Linear(inputs, blocks * outputs)
    for block in layer.weight.detach().chunk(blocks):
        nn.init.xavier_uniform_(block)
    return layer


def linears(layers: nn.ModuleList) -> list[nn.Linear]:
    """The layers of a list that holds nothing but affine maps."""
    return cast("list[nn.Linear]", list(layers))


def column_per_step(elapsed: float | Tensor, features: Tensor) -> Tensor:
    """Elapsed time as [B, T, 1], or [1, T, 1] for all rows, in the features' precision."""
    if not isinstance(elapsed, Tensor):
        return features.new_full((1, features.shape[1], 1), elapsed)
    return elapsed.to(features).unsqueeze(2)


def time_may_stand_still(elapsed: float | Tensor) -> bool:
    """False if it is sure that time passes in every row and step."""
    return not is_somewhere((elapsed > 0.0).all()) if isinstance(elapsed, Tensor) else elapsed <= 0.0


def head_views(layer: nn.Linear, heads: Sequence[str]) -> dict[str, Tensor]:
    """The weight and bias of each head, by name."""
    parts = zip(heads, layer.weight.chunk(len(heads)), layer.bias.chunk(len(heads)), strict=True)
    return {f"{head}.{kind}": part for head, w, b in parts for kind, part in (("weight", w), ("bias", b))}


def copy_blocks(blocks: Mapping[str, Tensor], views: Mapping[str, Tensor]) -> None:
    """Write the blocks into the views of the same names, all or none of them."""
    if blocks.keys() != views.keys():
        missing, foreign = sorted(views.keys() - blocks.keys()), sorted(blocks.keys() - views.keys())
        raise ValueError(f"The weights are another core's: missing {missing}, unknown {foreign}.")
    for name, view in views.items():
        if blocks[name].shape != view.shape:
            raise ValueError(f"The weight {name} must be {list(view.shape)}, not {list(blocks[name].shape)}.")
    for name, view in views.items():
        view.copy_(blocks[name])
