"""Lesions: a driver with neurons silenced or clamped and synapses cut, for experiments on the running network.

    cut         a synapse between neurons whose conductance w is zero
    silenced    a neuron all of whose outgoing synapses are cut; of a motor neuron that is the read-out's weight
    clamped     a number of the state that is held at a value, as if its capacitance were infinite: C dx/dt = I

`lesioned` makes another driver of them; the one it was given is never touched, and shares no weight with the other.
Only an LTC has neurons and synapses of its own.  Of any other core a number of the state can be clamped, silenced means
clamped at zero, and both act on what the next step reads.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import final

import torch
from torch import Tensor

from lanekeep_policies.cores.core import Core, in_turn
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.driver import Driver

LARGEST = 1000.0  # of what a number is clamped at; potentials are about 1, and far beyond this nothing is finite


@dataclass(frozen=True)
class Lesions:
    """What is done to a driver, by the numbers of its state; neurons in the wiring's order: motor, command, inter."""

    silenced: frozenset[int] = frozenset()
    clamped: dict[int, float] = field(default_factory=dict)  # number of the state -> its value
    cut: frozenset[tuple[int, int]] = frozenset()  # source, target

    def __bool__(self) -> bool:
        return bool(self.silenced or self.clamped or self.cut)

    def silence(self, number: int) -> "Lesions":
        """Silence one; a clamped one is let go first."""
        return replace(self.free(number), silenced=self.silenced | {number})

    def clamp(self, number: int, value: float) -> "Lesions":
        """Hold one at a value."""
        return replace(self.free(number), clamped={**self.free(number).clamped, number: value})

    def free(self, number: int) -> "Lesions":
        """Let one go; its synapses that were cut stay cut."""
        held = {k: value for k, value in self.clamped.items() if k != number}
        return replace(self, silenced=self.silenced - {number}, clamped=held)

    def toggle(self, source: int, target: int) -> "Lesions":
        """Cut a synapse, or mend it."""
        return replace(self, cut=self.cut ^ {(source, target)})


def lesioned(driver: Driver, lesions: Lesions) -> Driver:
    """The driver under lesions, a copy; ValueError for a neuron or a synapse that it does not have."""
    _check(driver, lesions)
    changed = copy.deepcopy(driver)
    held = dict(lesions.clamped)
    if isinstance(changed.core, LTC):
        _silence(changed, changed.core, lesions)
    else:
        held |= dict.fromkeys(lesions.silenced, 0.0)
    if held:
        changed.core = Clamped(changed.core, held)
    return changed


@final
class Clamped(Core):
    """A core some numbers of whose state are held: before each step, and in an LTC also while it lasts."""

    def __init__(self, core: Core, held: dict[int, float]) -> None:
        super().__init__(core.input_size, core.state_size, core.output_size, core.time_unit_s)
        self.core = core
        self._numbers = list(held)
        values = torch.tensor(list(held.values()), dtype=next(core.parameters()).dtype)
        self.register_buffer("_values", values, persistent=False)
        if isinstance(core, LTC):  # an unfold moves a neuron by D/C times its current: by nothing
            with torch.no_grad():
                core.cm[self._numbers] = math.inf

    def initial_state(self, batch: int) -> Tensor:
        return self._hold(self.core.initial_state(batch))

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        if isinstance(self.core, LTC):
            return self.core.run(features, self._hold(state), elapsed)
        outputs = []
        for step, time in zip(torch.split(features, 1, dim=1), in_turn(elapsed, features.shape[1]), strict=True):
            output, state = self.core.run(step, self._hold(state), time)
            outputs.append(output)
        return torch.cat(outputs, 1), self._hold(state)

    def stepper(self) -> Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]:
        step = self.core.stepper()

        def held_step(features: Tensor, state: Tensor, dt_s: float) -> tuple[Tensor, Tensor]:
            outputs, state = step(features, self._hold(state), dt_s)
            return outputs, self._hold(state)

        return held_step

    def _hold(self, state: Tensor) -> Tensor:
        held = state.clone()
        held[:, self._numbers] = self.get_buffer("_values")
        return held


@torch.no_grad()
def _silence(driver: Driver, core: LTC, lesions: Lesions) -> None:
    """Take the conductance from synapses: in a softplus' inverse, zero is minus infinity."""
    nothing = -math.inf if core.constraint == "softplus" else 0.0
    for k, ends in enumerate(zip(core.wiring.source.tolist(), core.wiring.target.tolist(), strict=True)):
        if ends in lesions.cut or ends[0] in lesions.silenced:
            core.w[k] = nothing
    for neuron in lesions.silenced & set(core.wiring.motor_neurons):
        driver.readout.weight[:, neuron] = 0.0


def _check(driver: Driver, lesions: Lesions) -> None:
    numbers = driver.state_size
    for number in (*lesions.silenced, *lesions.clamped):
        if not 0 <= number < numbers:
            raise ValueError(f"this driver's state has {numbers} numbers, counted from 0, so none is {number}")
    for value in lesions.clamped.values():
        if not abs(value) <= LARGEST:
            raise ValueError(f"a neuron is clamped at a value from -{LARGEST:g} to {LARGEST:g}, not {value:g}")
    if lesions.cut and not isinstance(driver.core, LTC):
        raise ValueError(f"the core {driver.spec.core} has no synapses that could be cut: ncp and ltc have")
    if isinstance(driver.core, LTC):
        there = set(zip(driver.core.wiring.source.tolist(), driver.core.wiring.target.tolist(), strict=True))
        for source, target in lesions.cut - there:
            raise ValueError(f"no synapse leads from neuron {source} to neuron {target}")
