"""The wirings of the package ncps (1.0.1), `NCP` and `AutoNCP`, synapse for synapse from the same arguments and seed.

ncps draws a synapse's polarity (+1 or -1, one in two) right after its ends, layer by layer:
    1. every sensory neuron chooses `sensory_fanout` inter neurons, every inter neuron `inter_fanout` command neurons;
    2. `recurrent_command` times a source and a target are drawn among the command neurons;
    3. every motor neuron chooses `motor_fanin` command neurons, which are its sources.
After each choice (1, 3) a neuron that nobody chose gets, or a command neuron gives, about as many synapses as the
others. A recurrent pair may be drawn twice: it is one synapse, and the last polarity counts. So `NCP(12, 6, 1, 6, 4, 6,
6)` has 58 synapses between neurons, two fewer than the paper's wiring (paper.py).
"""

import numpy as np

from lanekeep_policies.wiring.wiring import LARGEST_SEED, Fans, Ints, Wiring, check_draw


def ncps_wiring(sensory: int, inter: int, command: int, motor: int, fans: Fans, seed: int = 22222) -> Wiring:
    """The wiring that ncps' `NCP(inter, command, motor, *fans, seed)` has once it is built for `sensory` features.

    Raises ValueError for layers without neurons, for fans larger than the layer they reach into, for negative numbers,
    and for what `Wiring` refuses.
    """
    check_draw(
        {"sensory": sensory, "inter": inter, "command": command, "motor": motor},
        {
            "sensory_fanout": (fans.sensory_fanout, 0, inter),
            "inter_fanout": (fans.inter_fanout, 0, command),
            "motor_fanin": (fans.motor_fanin, 0, command),
            "seed": (seed, 0, LARGEST_SEED),
        },
    )
    if fans.recurrent_command < 0:
        raise ValueError(f"recurrent_command={fans.recurrent_command} is negative.")
    rng = np.random.RandomState(seed)
    neurons = motor + command + inter
    motor_neurons, command_neurons, inter_neurons = np.split(np.arange(neurons), [motor, motor + command])
    sensory_adjacency, adjacency = np.zeros((sensory, neurons), np.int64), np.zeros((neurons, neurons), np.int64)
    _fan(rng, sensory_adjacency, np.arange(sensory), inter_neurons, fans.sensory_fanout, sensory)
    _fan(rng, adjacency, inter_neurons, command_neurons, fans.inter_fanout, command)
    for _ in range(fans.recurrent_command):
        source, target = rng.choice(command_neurons), rng.choice(command_neurons)
        adjacency[source, target] = _polarity(rng)
    # a motor neuron chooses its sources: the same draw, seen from the target
    _fan(rng, adjacency.T, motor_neurons, command_neurons, fans.motor_fanin, motor)
    return Wiring.from_adjacency(sensory_adjacency, adjacency, motor=motor, command=command)


def auto_wiring(sensory: int, units: int, outputs: int, sparsity_level: float = 0.5, seed: int = 22222) -> Wiring:
    """The wiring of ncps' `AutoNCP(units, outputs, sparsity_level, seed)` for `sensory` features.

    Of the `units` neurons that are not outputs four in ten are command neurons; `sparsity_level`, 0.1 (dense) to 1.0
    (one synapse a neuron), sets all fans. Raises ValueError for values outside.
    """
    if units < 4:
        raise ValueError(f"A wiring with layers needs at least 4 units, not units={units}.")
    if not 1 <= outputs <= units - 3:
        raise ValueError(f"outputs={outputs} is outside 1..{units - 3} for units={units}.")
    if not 0.1 <= sparsity_level <= 1.0:
        raise ValueError(f"sparsity_level={sparsity_level} is outside 0.1..1.")
    density = 1.0 - sparsity_level
    command = max(int(0.4 * (units - outputs)), 1)
    inter = units - outputs - command
    fans = Fans(
        sensory_fanout=max(int(inter * density), 1),
        inter_fanout=max(int(command * density), 1),
        recurrent_command=max(int(command * density * 2), 1),
        motor_fanin=max(int(command * density), 1),
    )
    return ncps_wiring(sensory, inter, command, outputs, fans, seed)


def _fan(
    rng: np.random.RandomState, matrix: Ints, choosing: Ints, chosen: Ints, fan: int, most_for_forgotten: int
) -> None:
    """Write into matrix [choosing, chosen] `fan` polarities a row, and some for each column that no row chose.

    A forgotten column gets the mean number of choices a column has, at least one and at most `most_for_forgotten`; for
    command neurons that bound is ncps' own, the size of their layer and not of the one that chooses.
    """
    for row in choosing:
        for column in rng.choice(chosen, fan, replace=False):
            matrix[row, column] = _polarity(rng)
    mean = min(max(len(choosing) * fan // len(chosen), 1), most_for_forgotten)
    for column in chosen[~matrix[np.ix_(choosing, chosen)].any(0)]:
        for row in rng.choice(choosing, mean, replace=False):
            matrix[row, column] = _polarity(rng)


def _polarity(rng: np.random.RandomState) -> int:
    return int(rng.choice((-1, 1)))
