"""The wirings of ncps, synapse for synapse from the same arguments and seed."""

from collections.abc import Callable

import ncps.wirings as reference
import numpy as np
import pytest

from lanekeep_policies.wiring import Fans, Wiring, auto_wiring, fully_connected, ncps_wiring, random_wiring


def agree(ours: Callable[[], Wiring], theirs: Callable[[], reference.Wiring], sensory: int) -> bool:
    """Whether there is a wiring, and then the same one; ours may refuse more, as a neuron that nothing reaches."""
    try:
        built = theirs()
        built.build(sensory)
    except (ValueError, ZeroDivisionError):
        with pytest.raises(ValueError):
            ours()
        return False
    try:
        wiring = ours()
    except ValueError as refusal:
        assert "motor neuron" in str(refusal)
        return False
    np.testing.assert_array_equal(wiring.adjacency, built.adjacency_matrix)
    np.testing.assert_array_equal(wiring.sensory_adjacency, built.sensory_adjacency_matrix)
    assert (wiring.neurons, wiring.motor) == (built.units, built.output_dim)
    assert all(built.get_type_of_neuron(neuron) == "motor" for neuron in wiring.motor_neurons)
    assert all(built.get_type_of_neuron(neuron) == "inter" for neuron in wiring.inter_neurons)
    return True


def test_ncps_ncp_synapse_for_synapse() -> None:
    rng, same = np.random.default_rng(1), 0
    for seed in range(120):
        sensory, inter, command, motor = (int(size) for size in rng.integers(1, 14, 4))
        fans = [int(rng.integers(0, most + 2)) for most in (inter, command, 9, command)]
        same += agree(
            lambda: ncps_wiring(sensory, inter, command, motor, Fans(*fans), seed),  # noqa: B023
            lambda: reference.NCP(inter, command, motor, *fans, seed=seed),  # noqa: B023
            sensory,
        )
    assert 40 < same < 100  # both the wirings and the refusals have been met


@pytest.mark.parametrize(
    ("sizes", "fans", "seed", "synapses"),
    [
        ((32, 12, 6, 1), (6, 4, 6, 6), 22222, 192 + 58),  # two recurrent draws meet a pair that is there already
        ((16, 18, 12, 4), (6, 4, 4, 6), 22222, None),
        ((3, 8, 2, 1), (2, 1, 2, 2), 113, None),  # a command neuron left out by eight: it gets two, not four
        ((1, 9, 1, 1), (1, 1, 1, 1), 0, None),  # forgotten inter neurons
        ((4, 6, 12, 1), (1, 1, 0, 1), 2**32 - 1, None),  # forgotten command neurons on both sides
    ],
)
def test_ncps_ncp_where_neurons_are_forgotten(
    sizes: tuple[int, ...], fans: tuple[int, ...], seed: int, synapses: int | None
) -> None:
    sensory, inter, command, motor = sizes
    assert agree(
        lambda: ncps_wiring(sensory, inter, command, motor, Fans(*fans), seed),
        lambda: reference.NCP(inter, command, motor, *fans, seed=seed),
        sensory,
    )
    if synapses is not None:
        assert ncps_wiring(sensory, inter, command, motor, Fans(*fans), seed).synapses == synapses


def test_ncps_auto_ncp_synapse_for_synapse() -> None:
    assert auto_wiring(32, 19, 1).synapses == 160 + 46
    rng, same = np.random.default_rng(2), 0
    for seed in range(120):
        sensory, units, outputs = int(rng.integers(1, 20)), int(rng.integers(3, 30)), int(rng.integers(1, 8))
        sparsity_level = round(float(rng.uniform(0.0, 1.1)), 2)
        same += agree(
            lambda: auto_wiring(sensory, units, outputs, sparsity_level, seed),  # noqa: B023
            lambda: reference.AutoNCP(units, outputs, sparsity_level, seed),  # noqa: B023
            sensory,
        )
    assert 40 < same < 100


@pytest.mark.parametrize("self_connections", [True, False])
def test_ncps_fully_connected_synapse_for_synapse(self_connections: bool) -> None:
    for seed, (sensory, units, outputs) in enumerate([(1, 1, 1), (3, 5, 2), (32, 19, 1), (2, 7, 7)]):
        assert agree(
            lambda: fully_connected(sensory, units, outputs, seed, self_connections=self_connections),  # noqa: B023
            lambda: reference.FullyConnected(units, outputs, seed, self_connections),  # noqa: B023
            sensory,
        )
    wiring = fully_connected(32, 19, 1, self_connections=self_connections)
    assert wiring.synapses == 32 * 19 + 19 * (19 if self_connections else 18)
    assert (wiring.inter, wiring.command, wiring.motor) == (18, 0, 1)


def test_ncps_random_synapse_for_synapse() -> None:
    rng, same = np.random.default_rng(3), 0
    for seed in range(120):
        sensory, units = (int(size) for size in rng.integers(1, 16, 2))
        outputs, sparsity_level = int(rng.integers(1, units + 1)), round(float(rng.uniform(-0.1, 1.1)), 2)
        same += agree(
            lambda: random_wiring(sensory, units, outputs, sparsity_level, seed),  # noqa: B023
            lambda: reference.Random(units, outputs, sparsity_level, seed),  # noqa: B023
            sensory,
        )
    assert 40 < same < 100


def test_two_in_three_synapses_without_layers_excite() -> None:
    wiring = fully_connected(60, 60, 1)
    assert abs((np.r_[wiring.sensory_polarity, wiring.polarity] == 1).mean() - 2 / 3) < 4 * np.sqrt(2 / 9 / 7200)


def test_a_random_draw_that_leaves_a_motor_neuron_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="to motor neuron 1; a random wiring needs another seed or a lower sparsity"):
        random_wiring(4, 8, 2, 0.95, seed=0)


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: ncps_wiring(8, 0, 4, 1, Fans(0, 2, 2, 2)), "at least one inter neuron, not inter=0"),
        (lambda: ncps_wiring(8, 6, 4, 1, Fans(7, 2, 2, 2)), r"sensory_fanout=7 is outside 0\.\.6"),
        (lambda: ncps_wiring(8, 6, 4, 1, Fans(3, 5, 2, 2)), r"inter_fanout=5 is outside 0\.\.4"),
        (lambda: ncps_wiring(8, 6, 4, 1, Fans(3, 2, -1, 2)), "recurrent_command=-1 is negative"),
        (lambda: ncps_wiring(8, 6, 4, 1, Fans(3, 2, 2, 5)), r"motor_fanin=5 is outside 0\.\.4"),
        (lambda: ncps_wiring(8, 6, 4, 1, Fans(3, 2, 2, 2), seed=-1), "seed=-1 is outside"),
        (lambda: auto_wiring(8, 5, 3), r"outputs=3 is outside 1\.\.2 for units=5"),
        (lambda: auto_wiring(8, 3, 1), "at least 4 units, not units=3"),
        (lambda: auto_wiring(8, 19, 1, 0.05), r"sparsity_level=0.05 is outside 0.1\.\.1"),
        (lambda: auto_wiring(8, 19, 1, float("nan")), "sparsity_level=nan is outside"),
        (lambda: random_wiring(8, 19, 1, 1.0), r"sparsity_level=1.0 is outside"),
        (lambda: random_wiring(8, 2, 3), r"outputs=3 is outside 1\.\.2"),
        (lambda: random_wiring(8, 0, 0), r"at least one neuron, not units=0"),
        (lambda: fully_connected(0, 4, 1), "at least one sensory neuron, not sensory=0"),
        (lambda: fully_connected(4, 4, 1, -1), "seed must not be negative"),
    ],
)
def test_senseless_arguments_of_the_others_are_refused(draw: Callable[[], Wiring], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        draw()
