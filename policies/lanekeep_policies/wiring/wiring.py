"""Wiring of a recurrent circuit: which neuron drives which, and whether it excites or inhibits.

A neural circuit policy has layers,
    sensory -> inter -> command -> motor, and command -> command;
a wiring without them (random, fully connected) has no command neurons, and all that are not motor are inter neurons.
Neurons are numbered motor, command, inter (the order of the state vector, as in ncps' LTC); sensory neurons carry
the features and are numbered apart, from 0. A synapse is (source, target, polarity), polarity +1 excitatory (its
reversal potential starts at +1), -1 inhibitory; synapses are kept sorted by target, then source.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
LARGEST_SEED = 2**32 - 1  # of numpy's RandomState


class Fans(NamedTuple):
    """Synapses of each neuron between the layers; the defaults are those of the paper's 19 neurons."""

    sensory_fanout: int = 6  # inter neurons that a sensory neuron drives
    inter_fanout: int = 4  # command neurons that an inter neuron drives
    recurrent_command: int = 6  # synapses among all command neurons
    motor_fanin: int = 6  # command neurons that drive a motor neuron


PAPER_FANS = Fans()


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Wiring:
    """Synapses as parallel arrays; K = sensory synapses, M = synapses between neurons. The arrays are read-only.

    Raises ValueError for a wiring without sensory or motor neurons, for synapses that name a neuron which is not there,
    that have no polarity or that exist already, and for a motor neuron that no path from a sensory neuron leads to.
    """

    sensory: int  # number of sensory neurons
    inter: int
    command: int
    motor: int
    sensory_source: Ints  # [K] sensory neuron
    sensory_target: Ints  # [K] neuron
    sensory_polarity: Ints  # [K] +1 or -1
    source: Ints  # [M] neuron
    target: Ints  # [M] neuron
    polarity: Ints  # [M] +1 or -1

    def __post_init__(self) -> None:
        _check_layers(self.sensory, self.inter, self.command, self.motor)
        for prefix, sources in (("sensory_", self.sensory), ("", self.neurons)):
            arrays = [_whole(getattr(self, prefix + end)) for end in ("source", "target", "polarity")]
            _check_synapses(*arrays, sources=sources, targets=self.neurons)
            order = np.lexsort((arrays[0], arrays[1]))
            for end, array in zip(("source", "target", "polarity"), arrays, strict=True):
                in_order = array[order]
                in_order.setflags(write=False)
                object.__setattr__(self, prefix + end, in_order)
        self._check_motor_neurons_are_reached()

    def __deepcopy__(self, memo: object) -> "Wiring":
        return self  # it cannot be changed

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)  # pickle forgets it
            object.__setattr__(self, name, value)

    @classmethod
    def from_adjacency(
        cls, sensory_adjacency: ArrayLike, adjacency: ArrayLike, *, motor: int, command: int = 0
    ) -> Self:
        """The wiring with these matrices [sensory, neurons] and [neurons, neurons] of polarities, 0 for no synapse.

        Rows are sources, columns targets; the neurons are motor, command, inter, in this order.
        """
        sensory_matrix, matrix = _whole(sensory_adjacency), _whole(adjacency)
        if (
            matrix.ndim != 2
            or sensory_matrix.ndim != 2
            or not matrix.shape[0] == matrix.shape[1] == sensory_matrix.shape[1]
        ):
            raise ValueError(
                f"The matrices of a wiring are [sensory, neurons] and [neurons, neurons], not {list(sensory_matrix.shape)} "
                f"and {list(matrix.shape)}."
            )
        sensory_source, sensory_target = np.nonzero(sensory_matrix)
        source, target = np.nonzero(matrix)
        return cls(
            sensory=len(sensory_matrix),
            inter=len(matrix) - command - motor,
            command=command,
            motor=motor,
            sensory_source=sensory_source,
            sensory_target=sensory_target,
            sensory_polarity=sensory_matrix[sensory_source, sensory_target],
            source=source,
            target=target,
            polarity=matrix[source, target],
        )

    @property
    def neurons(self) -> int:
        return self.motor + self.command + self.inter

    @property
    def synapses(self) -> int:
        """Of both kinds."""
        return len(self.sensory_source) + len(self.source)

    @property
    def motor_neurons(self) -> range:
        return range(self.motor)

    @property
    def command_neurons(self) -> range:
        return range(self.motor, self.motor + self.command)

    @property
    def inter_neurons(self) -> range:
        return range(self.motor + self.command, self.neurons)

    @property
    def sensory_adjacency(self) -> Ints:
        """[sensory, neurons]: polarity of the synapse from row to column, 0 where there is none."""
        matrix = np.zeros((self.sensory, self.neurons), np.int64)
        matrix[self.sensory_source, self.sensory_target] = self.sensory_polarity
        return matrix

    @property
    def adjacency(self) -> Ints:
        """[neurons, neurons]: polarity of the synapse from row to column, 0 where there is none."""
        matrix = np.zeros((self.neurons, self.neurons), np.int64)
        matrix[self.source, self.target] = self.polarity
        return matrix

    def _check_motor_neurons_are_reached(self) -> None:
        reached = np.zeros(self.neurons, np.bool_)
        newly = reached.copy()
        newly[self.sensory_target] = True
        while newly.any():
            reached |= newly
            newly = np.isin(np.arange(self.neurons), self.target[reached[self.source]]) & ~reached
        if not reached[: self.motor].all():
            raise ValueError(
                f"No path leads from a sensory neuron to motor neuron {int(np.argmin(reached[: self.motor]))}; "
                f"a random wiring needs another seed or a lower sparsity."
            )


def check_draw(layers: dict[str, int], numbers: dict[str, tuple[int, int, int]]) -> None:
    """Raise ValueError for a layer without neurons, and for a number that is not in its range (number, least, most)."""
    for name, size in layers.items():
        if size < 1:
            raise ValueError(f"A wiring with layers needs at least one {name} neuron, not {name}={size}.")
    for name, (number, least, most) in numbers.items():
        if not least <= number <= most:
            raise ValueError(f"{name}={number} is outside {least}..{most} for {layers}.")


def _whole(numbers: Any) -> Ints:
    """A copy as integers; numbers that are not whole would otherwise be cut off in silence."""
    given = np.asarray(numbers)
    whole = given.astype(np.int64)
    if not np.array_equal(whole, given):
        raise ValueError("The neurons and polarities of a wiring must be whole numbers.")
    return whole


def _check_layers(sensory: int, inter: int, command: int, motor: int) -> None:
    for name, size, least in (
        ("sensory", sensory, 1),
        ("motor", motor, 1),
        ("inter", inter, 0),
        ("command", command, 0),
    ):
        if size < least:
            raise ValueError(f"The number of {name} neurons in a wiring must be at least {least}, not {size}.")


def _check_synapses(source: Ints, target: Ints, polarity: Ints, *, sources: int, targets: int) -> None:
    if not (source.ndim == 1 and source.shape == target.shape == polarity.shape):
        raise ValueError("The sources, targets and polarities of a wiring must be 1-D arrays of one length.")
    for name, index, size in (("source", source, sources), ("target", target, targets)):
        if ((index < 0) | (index >= size)).any():
            raise ValueError(f"A synapse names a {name} outside 0..{size - 1}.")
    if not np.isin(polarity, (-1, 1)).all():
        raise ValueError("The polarity of a synapse is +1 (excitatory) or -1 (inhibitory).")
    if len(np.unique(source * targets + target)) != len(source):
        raise ValueError("A wiring has at most one synapse from one neuron to another.")
