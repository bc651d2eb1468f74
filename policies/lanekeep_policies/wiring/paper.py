"""The wiring of a neural circuit policy as the paper's authors drew it, 19 neurons by default.

The generator follows Algorithms 3-6 of Lechner et al., Nat. Mach. Intell. 2, 642-652 (2020), with the settings of the
paper's code (70 % excitatory; the printed algorithms have 50 %) and with distinct recurrent synapses. It gives 192 + 60
synapses: with 4 parameters a synapse and 3 a neuron, the 1,065 parameters of the paper's Table 2.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lanekeep_policies.wiring.wiring import LARGEST_SEED, PAPER_FANS, Fans, Ints, Wiring, check_draw

PAPER_SEED: Final = 20190120
EXCITATORY_SHARE: Final = 0.7
Synapses = NDArray[np.bool_]  # [sources, targets] whether there is a synapse


def ncp_wiring(
    sensory: int = 32,
    inter: int = 12,
    command: int = 6,
    motor: int = 1,
    fans: Fans = PAPER_FANS,
    seed: int = PAPER_SEED,
) -> Wiring:
    """Draw the wiring of a neural circuit policy; the defaults are the paper's 19 neurons."""
    check_draw(
        {"sensory": sensory, "inter": inter, "command": command, "motor": motor},
        {
            "sensory_fanout": (fans.sensory_fanout, 1, inter),
            "inter_fanout": (fans.inter_fanout, 1, command),
            "recurrent_command": (fans.recurrent_command, 0, command**2),
            "motor_fanin": (fans.motor_fanin, 1, command),
            "seed": (seed, 0, LARGEST_SEED),
        },
    )
    # A checkpoint remembers the seed, not the synapses, so the stream must never change: numpy freezes only this one.
    rng = np.random.RandomState(seed)
    first_inter, neurons = motor + command, motor + command + inter
    from_sensory, between = np.zeros((sensory, neurons), np.bool_), np.zeros((neurons, neurons), np.bool_)
    _fan_out(rng, from_sensory[:, first_inter:], fans.sensory_fanout)
    _fan_out(rng, between[first_inter:, motor:first_inter], fans.inter_fanout)
    recurrent = rng.choice(command**2, fans.recurrent_command, replace=False)
    between[motor:first_inter, motor:first_inter].flat[recurrent] = True
    # A motor neuron chooses its sources, so this layer is drawn from target to source.
    _fan_out(rng, between[motor:first_inter, :motor].T, fans.motor_fanin)
    return Wiring.from_adjacency(
        _with_polarities(rng, from_sensory), _with_polarities(rng, between), motor=motor, command=command
    )


def _fan_out(rng: np.random.RandomState, synapses: Synapses, fanout: int) -> None:
    """Give each source `fanout` distinct targets, and no target no source.

    A target that no source chose gets the layer's mean fan-in, drawn from all sources.
    """
    sources, targets = synapses.shape
    for of_source in synapses:
        of_source[rng.choice(targets, fanout, replace=False)] = True
    fanin = min(max(sources * fanout // targets, 1), sources)
    for target in np.flatnonzero(~synapses.any(0)):
        synapses[rng.choice(sources, fanin, replace=False), target] = True


def _with_polarities(rng: np.random.RandomState, synapses: Synapses) -> Ints:
    """Polarities in place of the synapses, 0 elsewhere, drawn by target, then source."""
    polarities = np.zeros(synapses.T.shape, np.int64)
    polarities[synapses.T] = np.where(rng.random_sample(int(synapses.sum())) < EXCITATORY_SHARE, 1, -1)
    return polarities.T
