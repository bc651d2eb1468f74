"""Wiring of a neural circuit policy: which neuron drives which, and whether it excites or inhibits.

    sensory -> inter -> command -> motor, and command -> command
Neurons are numbered motor, command, inter (the order of the state vector, as in ncps' LTC); sensory neurons carry
the features and are numbered apart, from 0. A synapse is (source, target, polarity), polarity +1 excitatory (its
reversal potential starts at +1), -1 inhibitory; synapses are sorted by target, then source.
The generator follows Algorithms 3-6 of Lechner et al., Nat. Mach. Intell. 2, 642-652 (2020), with the settings of the
paper's code (70 % excitatory; the printed algorithms have 50 %) and with distinct recurrent synapses. It gives 192 + 60
synapses: with 4 parameters a synapse and 3 a neuron, the 1,065 parameters of the paper's Table 2.
"""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

PAPER_SEED: Final = 20190120
EXCITATORY_SHARE: Final = 0.7


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Wiring:
    """Synapses as parallel arrays; K = sensory synapses, M = synapses between neurons. The arrays are read-only."""

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
        for prefix, sources in (("sensory_", self.sensory), ("", self.neurons)):
            arrays = [np.array(getattr(self, prefix + end), np.int64) for end in ("source", "target", "polarity")]
            _check_synapses(*arrays, sources=sources, targets=self.neurons)
            for end, array in zip(("source", "target", "polarity"), arrays, strict=True):
                array.setflags(write=False)
                object.__setattr__(self, prefix + end, array)

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


def ncp_wiring(
    sensory: int = 32,
    inter: int = 12,
    command: int = 6,
    motor: int = 1,
    sensory_fanout: int = 6,
    inter_fanout: int = 4,
    recurrent_command: int = 6,
    motor_fanin: int = 6,
    seed: int = PAPER_SEED,
) -> Wiring:
    """Draw the wiring of a neural circuit policy; the defaults are the paper's 19 neurons."""
    _check_fans(
        {"sensory": sensory, "inter": inter, "command": command, "motor": motor},
        {
            "sensory_fanout": (sensory_fanout, 1, inter),
            "inter_fanout": (inter_fanout, 1, command),
            "recurrent_command": (recurrent_command, 0, command**2),
            "motor_fanin": (motor_fanin, 1, command),
            "seed": (seed, 0, 2**32 - 1),
        },
    )
    # A checkpoint remembers the seed, not the synapses, so the stream must never change: numpy freezes only this one.
    rng = np.random.RandomState(seed)
    first_command, first_inter = motor, motor + command
    into_inter = _fan_out(rng, sensory, inter, sensory_fanout)
    into_command = _fan_out(rng, inter, command, inter_fanout)
    recurrent = np.stack(np.divmod(rng.choice(command**2, recurrent_command, replace=False), command), axis=1)
    # A motor neuron chooses its sources, so this layer is drawn from target to source.
    into_motor = _fan_out(rng, motor, command, motor_fanin)[:, ::-1]
    sensory_pairs = into_inter + (0, first_inter)
    pairs = np.concatenate(
        [into_command + (first_inter, first_command), recurrent + first_command, into_motor + (first_command, 0)]
    )
    sensory_source, sensory_target, sensory_polarity = _synapses(rng, sensory_pairs)
    source, target, polarity = _synapses(rng, pairs)
    return Wiring(
        sensory=sensory,
        inter=inter,
        command=command,
        motor=motor,
        sensory_source=sensory_source,
        sensory_target=sensory_target,
        sensory_polarity=sensory_polarity,
        source=source,
        target=target,
        polarity=polarity,
    )


def _fan_out(rng: np.random.RandomState, sources: int, targets: int, fanout: int) -> Ints:
    """Distinct pairs [n, 2] (source, target): `fanout` targets for each source, and no target left without a source.

    A target that no source chose gets the layer's mean fan-in, drawn from all sources.
    """
    pairs = [(source, target) for source in range(sources) for target in rng.choice(targets, fanout, replace=False)]
    fanin = min(max(sources * fanout // targets, 1), sources)
    for target in sorted(set(range(targets)) - {target for _, target in pairs}):
        pairs += [(source, target) for source in rng.choice(sources, fanin, replace=False)]
    return np.array(pairs, np.int64)


def _synapses(rng: np.random.RandomState, pairs: Ints) -> tuple[Ints, Ints, Ints]:
    """Pairs [n, 2] sorted by target, then source, each with a polarity."""
    source, target = pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))].T
    return source, target, np.where(rng.random_sample(len(pairs)) < EXCITATORY_SHARE, 1, -1)


def _check_fans(layers: dict[str, int], numbers: dict[str, tuple[int, int, int]]) -> None:
    for name, size in layers.items():
        if size < 1:
            raise ValueError(f"A wiring needs at least one {name} neuron, not {name}={size}.")
    for name, (number, least, most) in numbers.items():
        if not least <= number <= most:
            raise ValueError(f"{name}={number} is outside {least}..{most} for {layers}.")


def _check_synapses(source: Ints, target: Ints, polarity: Ints, *, sources: int, targets: int) -> None:
    if not (source.ndim == 1 and source.shape == target.shape == polarity.shape):
        raise ValueError("The sources, targets and polarities of a wiring must be 1-D arrays of one length.")
    for name, index, size in (("source", source, sources), ("target", target, targets)):
        if ((index < 0) | (index >= size)).any():
            raise ValueError(f"A synapse names a {name} outside 0..{size - 1}.")
    if not np.isin(polarity, (-1, 1)).all():
        raise ValueError("The polarity of a synapse is +1 (excitatory) or -1 (inhibitory).")
    if len(np.unique(np.stack([source, target]), axis=1).T) != len(source):
        raise ValueError("A wiring has at most one synapse from one neuron to another.")
