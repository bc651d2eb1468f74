"""The generators' laws: counts, distinct synapses, layers, no neuron left out."""

import copy
import dataclasses
import hashlib
import pickle
from typing import Any

import numpy as np
import pytest

from lanekeep_policies.wiring import Fans, Wiring, auto_wiring, fully_connected, ncp_wiring, ncps_wiring, random_wiring

SHAPES: list[dict[str, Any]] = [
    {},
    {"sensory": 2, "inter": 30, "fans": Fans(sensory_fanout=3)},  # inter neurons that no sensory neuron chose
    {
        "inter": 2,
        "command": 40,
        "fans": Fans(sensory_fanout=2, inter_fanout=3),
    },  # command neurons that no inter neuron chose
    {"command": 20, "motor": 3, "fans": Fans(motor_fanin=2)},  # command neurons that no motor neuron chose
    {"sensory": 1, "inter": 1, "command": 1, "motor": 1}
    | {"fans": Fans(sensory_fanout=1, inter_fanout=1, recurrent_command=1, motor_fanin=1)},
    {"fans": Fans(recurrent_command=36)},  # every pair
    {"fans": Fans(recurrent_command=0)},
]


def test_the_papers_wiring_has_the_papers_counts() -> None:
    wiring = ncp_wiring()
    assert len(wiring.sensory_source) == 192
    assert len(wiring.source) == 60
    assert wiring.neurons == 19
    assert 4 * wiring.synapses + 3 * wiring.neurons == 1_065


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_every_neuron_is_reached_and_reaches(shape: dict[str, Any], seed: int) -> None:
    wiring = ncp_wiring(**shape, seed=seed)
    inter, command, motor = (
        list(layer) for layer in (wiring.inter_neurons, wiring.command_neurons, wiring.motor_neurons)
    )
    sensory_adjacency, adjacency = np.abs(wiring.sensory_adjacency), np.abs(wiring.adjacency)
    assert sorted(motor + command + inter) == list(range(wiring.neurons))
    assert (sensory_adjacency.sum(1) > 0).all()
    assert (sensory_adjacency[:, inter].sum(0) > 0).all()
    assert (adjacency[np.ix_(inter, command)].sum(1) > 0).all()
    assert (adjacency[np.ix_(inter, command)].sum(0) > 0).all()
    assert (adjacency[np.ix_(command, motor)].sum(1) > 0).all()
    assert (adjacency[np.ix_(command, motor)].sum(0) > 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_layers_are_connected_as_the_algorithm_says(seed: int) -> None:
    wiring = ncp_wiring(seed=seed)
    inter, command, motor = wiring.inter_neurons, wiring.command_neurons, wiring.motor_neurons
    sensory_adjacency, adjacency = np.abs(wiring.sensory_adjacency), np.abs(wiring.adjacency)
    assert (sensory_adjacency[:, inter].sum(1) == 6).all()
    assert (adjacency[np.ix_(inter, command)].sum(1) == 4).all()
    assert adjacency[np.ix_(command, command)].sum() == 6
    assert (adjacency[np.ix_(command, motor)].sum(0) == 6).all()
    # nothing else, and no synapse twice: the matrices hold as many synapses as the arrays
    assert sensory_adjacency.sum() == len(wiring.sensory_source) == 192
    assert adjacency.sum() == len(wiring.source) == 48 + 6 + 6


def test_seven_synapses_in_ten_excite() -> None:
    wirings = [ncp_wiring(seed=seed) for seed in range(100)]
    polarity = np.concatenate([np.r_[wiring.sensory_polarity, wiring.polarity] for wiring in wirings])
    assert abs((polarity == 1).mean() - 0.7) < 4 * np.sqrt(0.7 * 0.3 / len(polarity))


def test_a_seed_is_a_wiring_for_ever() -> None:
    """Checkpoints hold the seed only: should this digest change, every trained driver is lost."""
    wiring = ncp_wiring()
    arrays = (wiring.sensory_source, wiring.sensory_target, wiring.sensory_polarity)
    arrays += (wiring.source, wiring.target, wiring.polarity)
    assert hashlib.sha256(np.concatenate(arrays).astype("<i8").tobytes()).hexdigest()[:16] == "be08b96fd29a553b"


def test_the_draw_is_seeded_and_leaves_the_global_generator_alone() -> None:
    before = np.random.get_state()[1]
    assert (ncp_wiring(seed=1).sensory_adjacency == ncp_wiring(seed=1).sensory_adjacency).all()
    assert (ncp_wiring(seed=1).sensory_adjacency != ncp_wiring(seed=2).sensory_adjacency).any()
    np.testing.assert_array_equal(before, np.random.get_state()[1])


def test_a_wiring_cannot_be_changed() -> None:
    wiring = ncp_wiring()
    with pytest.raises(ValueError, match="read-only"):
        wiring.source[0] = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        wiring.source = wiring.target  # type: ignore[misc]
    for copied in (copy.deepcopy(wiring), pickle.loads(pickle.dumps(wiring))):
        assert np.array_equal(copied.adjacency, wiring.adjacency) and not copied.source.flags.writeable


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"sensory": 0}, "at least one sensory neuron"),
        ({"inter": 0}, "at least one inter neuron"),
        ({"command": -1}, "at least one command neuron"),
        ({"motor": 0}, "at least one motor neuron"),
        ({"fans": Fans(sensory_fanout=13)}, r"sensory_fanout=13 is outside 1..12"),
        ({"fans": Fans(sensory_fanout=0)}, r"sensory_fanout=0 is outside 1..12"),
        ({"fans": Fans(inter_fanout=7)}, r"inter_fanout=7 is outside 1..6"),
        ({"fans": Fans(recurrent_command=37)}, r"recurrent_command=37 is outside 0..36"),
        ({"fans": Fans(motor_fanin=7)}, r"motor_fanin=7 is outside 1..6"),
        ({"seed": -1}, r"seed=-1 is outside"),
        ({"seed": 2**32}, r"seed=4294967296 is outside"),
    ],
)
def test_senseless_arguments_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ncp_wiring(**arguments)


def small_wiring(**change: Any) -> Wiring:
    """Sensory 0 -> inter 2 -> command 1 -> motor 0."""
    parts = {"sensory": 1, "inter": 1, "command": 1, "motor": 1}
    parts |= {"sensory_source": [0], "sensory_target": [2], "sensory_polarity": [1]}
    parts |= {"source": [2, 1], "target": [1, 0], "polarity": [1, -1]}
    return Wiring(**(parts | change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"source": [0, 0], "target": [1, 1], "polarity": [1, -1]}, "at most one synapse"),
        ({"source": [3], "target": [1], "polarity": [1]}, r"source outside 0\.\.2"),
        ({"source": [0], "target": [-1], "polarity": [1]}, r"target outside 0\.\.2"),
        ({"sensory_source": [1]}, r"source outside 0\.\.0"),
        ({"source": [0], "target": [1], "polarity": [0]}, r"\+1 .* or -1"),
        ({"source": [0], "target": [1, 2], "polarity": [1]}, "one length"),
        ({"source": [2, 1.5]}, "whole numbers"),
        ({"sensory": 0}, "number of sensory neurons in a wiring must be at least 1, not 0"),
        ({"motor": 0}, "number of motor neurons in a wiring must be at least 1, not 0"),
        ({"command": -1}, "number of command neurons in a wiring must be at least 0, not -1"),
    ],
)
def test_senseless_synapses_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        small_wiring(**change)


@pytest.mark.parametrize(
    ("change", "unreached"),
    [
        ({"sensory_target": [0]}, None),  # a sensory neuron may drive a motor neuron
        ({"source": [], "target": [], "polarity": []}, 0),
        (
            {"source": [1, 1], "target": [0, 1]},
            0,
        ),  # the command neuron drives it, but nothing drives the command neuron
        ({"sensory_source": [], "sensory_target": [], "sensory_polarity": []}, 0),
        ({"motor": 2, "command": 0, "source": [2], "target": [0], "polarity": [1]}, 1),
        ({"motor": 2, "command": 0, "source": [2, 0], "target": [0, 1]}, None),  # by way of the other motor neuron
    ],
)
def test_a_motor_neuron_that_nothing_reaches_is_named(change: dict[str, Any], unreached: int | None) -> None:
    if unreached is None:
        small_wiring(**change)
    else:
        with pytest.raises(ValueError, match=f"to motor neuron {unreached}; .*another seed or a lower sparsity"):
            small_wiring(**change)


def test_the_same_synapses_in_another_order_are_the_same_wiring() -> None:
    wiring, rng = ncp_wiring(), np.random.default_rng(0)
    some, others = rng.permutation(len(wiring.sensory_source)), rng.permutation(len(wiring.source))
    ends = ("source", "target", "polarity")
    shuffled: dict[str, Any] = {f"sensory_{end}": getattr(wiring, f"sensory_{end}")[some] for end in ends}
    shuffled |= {end: getattr(wiring, end)[others] for end in ends}
    assert_same(dataclasses.replace(wiring, **shuffled), wiring)


@pytest.mark.parametrize("wiring", [ncp_wiring(), random_wiring(5, 9, 2, 0.5)], ids=["layers", "random"])
def test_the_matrices_hold_the_whole_wiring(wiring: Wiring) -> None:
    again = Wiring.from_adjacency(
        wiring.sensory_adjacency, wiring.adjacency, motor=wiring.motor, command=wiring.command
    )
    assert_same(again, wiring)
    with pytest.raises(ValueError, match=r"\[neurons, neurons\], not \[3, 4\] and \[5, 5\]"):
        Wiring.from_adjacency(np.ones((3, 4)), np.ones((5, 5)), motor=1)


def assert_same(wiring: Wiring, other: Wiring) -> None:
    for field in dataclasses.fields(Wiring):
        np.testing.assert_array_equal(getattr(wiring, field.name), getattr(other, field.name), field.name)


@pytest.mark.parametrize(
    ("wiring", "digest"),
    [
        (ncps_wiring(32, 12, 6, 1, Fans()), "776dbc2b98d63641"),
        (auto_wiring(32, 19, 1), "66d9002a8af3bf70"),
        (random_wiring(32, 19, 1, 0.7), "97818bea31b79c94"),
        (fully_connected(32, 19, 1), "267316ce5dd642d2"),
    ],
    ids=["ncps", "auto", "random", "full"],
)
def test_the_other_seeds_are_wirings_for_ever_too(wiring: Wiring, digest: str) -> None:
    arrays = (wiring.sensory_source, wiring.sensory_target, wiring.sensory_polarity)
    arrays += (wiring.source, wiring.target, wiring.polarity)
    assert hashlib.sha256(np.concatenate(arrays).astype("<i8").tobytes()).hexdigest()[:16] == digest
