"""What a layered wiring is drawn from: how many neurons its layers have, and how many synapses run between them."""

from typing import NamedTuple

LARGEST_SEED = 2**32 - 1  # of numpy's RandomState


class Fans(NamedTuple):
    """Synapses of each neuron between the layers; the defaults are those of the paper's 19 neurons."""

    sensory_fanout: int = 6  # inter neurons that a sensory neuron drives
    inter_fanout: int = 4  # command neurons that an inter neuron drives
    recurrent_command: int = 6  # synapses among all command neurons
    motor_fanin: int = 6  # command neurons that drive a motor neuron


PAPER_FANS = Fans()


def check_draw(layers: dict[str, int], numbers: dict[str, tuple[int, int, int]]) -> None:
    """Raise ValueError for a layer without neurons, and for a number that is not in its range (number, least, most)."""
    for name, size in layers.items():
        if size < 1:
            raise ValueError(f"A wiring with layers needs at least one {name} neuron, not {name}={size}.")
    for name, (number, least, most) in numbers.items():
        if not least <= number <= most:
            raise ValueError(f"{name}={number} is outside {least}..{most} for {layers}.")
