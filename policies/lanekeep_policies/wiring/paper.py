"""The wiring of a neural circuit policy as the paper's authors drew it, 19 neurons by default.

The generator follows Algorithms 3-6 of Lechner et al., Nat. Mach. Intell. 2, 642-652 (2020), with the settings of the
paper's code (70 % excitatory; the printed algorithms have 50 %) and with distinct recurrent synapses. It gives 192 + 60
synapses: with 4 parameters a synapse and 3 a neuron, the 1,065 parameters of the paper's Table 2.
"""

from typing import Final

import numpy as np

from lanekeep_policies.wiring.wiring import Ints, Wiring

PAPER_SEED: Final = 20190120
EXCITATORY_SHARE: Final = 0.7


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
