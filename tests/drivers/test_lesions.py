"""A lesion equals what it stands for, in equations written down a second time, and touches nothing but its own driver."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from lanekeep_policies import CORES, ConvHead, Driver, DriverSpec
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.lesions import LARGEST, Lesions, lesioned
from lanekeep_policies.wiring import Wiring


def driver_of(core: str) -> Driver:
    spec = DriverSpec(core=core, camera_height=48, camera_width=160, curvature_limit_per_m=0.02)
    return Driver.build(spec, 0).double().eval()


def features(steps: int = 12) -> Tensor:
    return torch.randn(2, steps, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def driven(driver: Driver, steps: int = 12) -> tuple[Tensor, Tensor]:
    actions, state = driver.act(features(steps), driver.initial_state(2))
    return actions.detach(), state.detach()


def stepped(driver: Driver, steps: int = 12) -> tuple[Tensor, Tensor]:
    """The same by the stepper that drives."""
    step, state, actions = driver.core.stepper(), driver.initial_state(2).detach(), []
    with torch.no_grad():
        for k in range(steps):
            outputs, state = step(features(steps)[:, k], state, 0.05)
            actions.append(driver.readout(outputs))
    return torch.stack(actions, 1), state


def without(driver: Driver, gone: list[bool]) -> Driver:
    """A driver whose wiring never had these synapses."""
    core, keep = driver.core, torch.tensor([not g for g in gone])
    assert isinstance(core, LTC)
    old, kept = core.wiring, keep.numpy()
    inner = {name: getattr(old, name)[kept] for name in ("source", "target", "polarity")}
    same = {
        name: getattr(old, name)
        for name in ("sensory", "inter", "command", "motor", "sensory_source", "sensory_target")
    }
    changed = copy.deepcopy(driver)
    changed.core = LTC(Wiring(**same, sensory_polarity=old.sensory_polarity, **inner)).double()
    weights = core.state_dict()
    weights |= {name: weights[name][keep] for name in ("w", "mu", "sigma", "erev")}
    changed.core.load_state_dict(weights)
    return changed


@pytest.mark.parametrize("neuron", [1, 6, 7, 12, 18])  # command and inter neurons
def test_to_silence_a_neuron_is_to_drive_without_its_outgoing_synapses(neuron: int) -> None:
    driver = driver_of("ncp")
    assert isinstance(driver.core, LTC)
    gone = [int(source) == neuron for source in driver.core.wiring.source]
    other, changed = without(driver, gone), lesioned(driver, Lesions().silence(neuron))
    for a, b in zip(driven(changed), driven(other), strict=True):
        assert torch.allclose(a, b, rtol=0.0, atol=1e-12)
    assert any(gone) and not torch.allclose(driven(changed)[1], driven(driver)[1], rtol=0.0, atol=1e-6)


def test_to_cut_a_synapse_is_to_drive_without_it() -> None:
    driver = driver_of("ncp")
    assert isinstance(driver.core, LTC)
    ends = list(zip(driver.core.wiring.source.tolist(), driver.core.wiring.target.tolist(), strict=True))
    for cut in (ends[0], ends[40]):
        changed = lesioned(driver, Lesions().toggle(*cut))
        other = without(driver, [pair == cut for pair in ends])
        assert torch.allclose(driven(changed)[1], driven(other)[1], rtol=0.0, atol=1e-12)


def test_a_silenced_neuron_is_still_driven_by_others() -> None:
    """Only what it tells is gone: to silence it is not to remove it."""
    driver = driver_of("ncp")
    changed = lesioned(driver, Lesions().silence(18))  # an inter neuron, which hears the features alone
    assert torch.equal(driven(changed)[1][:, 18], driven(driver)[1][:, 18])


def test_a_silent_motor_neuron_steers_by_the_bias() -> None:
    driver = driver_of("ncp")
    actions, _ = driven(lesioned(driver, Lesions().silence(0)))
    assert torch.equal(actions, driver.readout.bias.detach().expand_as(actions))


def test_a_clamped_neuron_holds_its_potential_while_the_others_hear_it() -> None:
    driver = driver_of("ncp")
    assert isinstance(driver.core, LTC)
    command = list(driver.core.wiring.command_neurons)[0]
    changed = lesioned(driver, Lesions().clamp(command, 0.7))
    assert torch.equal(driven(changed)[1][:, command], torch.full((2,), 0.7, dtype=torch.float64))
    # a second source: an LTC whose neuron leaks towards 0.7 so fast that nothing else can move it
    other = copy.deepcopy(driver)
    assert isinstance(other.core, LTC)
    with torch.no_grad():
        other.core.vleak[command], other.core.gleak[command] = 0.7, 1e9
    start = driver.initial_state(2).clone()
    start[:, command] = 0.7
    actions, state = other.act(features(), start)
    assert torch.allclose(driven(changed)[0], actions.detach(), rtol=0.0, atol=1e-6)
    assert torch.allclose(driven(changed)[1], state.detach(), rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("core", ["ncp", "ltc", "lstm", "cfc", "ncp-cfc"])
def test_driving_and_looking_see_the_same_lesion(core: str) -> None:
    changed = lesioned(driver_of(core), Lesions().clamp(2, 0.3).silence(4))
    for a, b in zip(driven(changed), stepped(changed), strict=True):
        assert torch.allclose(a, b, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("core", ["ncp", "lstm"])
def test_another_driver_is_made_and_the_given_one_stays(core: str) -> None:
    driver = driver_of(core)
    before = {name: weight.clone() for name, weight in driver.state_dict().items()}
    expected = driven(driver)
    changed = lesioned(driver, Lesions().clamp(3, 0.5).silence(1))
    with torch.no_grad():
        for weight in changed.parameters():
            weight.add_(1.0)
    assert all(torch.equal(weight, before[name]) for name, weight in driver.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(driven(driver), expected, strict=True))


def test_of_another_core_a_number_of_the_state_is_held_from_step_to_step() -> None:
    driver = driver_of("lstm")
    changed = lesioned(driver, Lesions().clamp(5, 0.25).silence(70))
    state, seen = changed.initial_state(2), []
    for k in range(4):
        held = state.clone()
        held[:, 5], held[:, 70] = 0.25, 0.0
        expected, _ = driver.act(features()[:, k : k + 1], held)
        actions, state = changed.act(features()[:, k : k + 1], state)
        assert torch.equal(actions, expected)
        seen.append(state[:, [5, 70]])
    assert torch.equal(torch.stack(seen), torch.tensor([0.25, 0.0], dtype=torch.float64).expand(4, 2, 2))


def test_a_gradient_goes_through_a_lesion() -> None:
    changed = lesioned(driver_of("ncp"), Lesions().silence(2).clamp(14, 0.1))
    x = features().requires_grad_()
    changed.act(x, changed.initial_state(2))[0].sum().backward()
    assert x.grad is not None and torch.isfinite(x.grad).all() and (x.grad != 0.0).any()


@pytest.mark.parametrize("core", [name for name, row in CORES.items() if row.head is ConvHead])
def test_any_clamp_that_is_taken_leaves_finite_numbers(core: str) -> None:
    driver = driver_of(core).float()
    for value in (LARGEST, -LARGEST):
        changed = lesioned(driver, Lesions({1}, {0: value, driver.state_size - 1: value}))
        actions, state = changed.act(features().float(), changed.initial_state(2))
        assert torch.isfinite(actions).all() and torch.isfinite(state).all()


def test_lesions_are_values() -> None:
    one = Lesions().silence(3).clamp(3, 0.5)
    assert one == Lesions(clamped={3: 0.5}) and one.silence(3) == Lesions().silence(3)
    assert one.free(3) == Lesions() and not Lesions() and one
    assert Lesions().toggle(7, 1).toggle(7, 1) == Lesions()


@pytest.mark.parametrize(
    ("core", "lesions", "sentence"),
    [
        ("ncp", Lesions().silence(19), "has 19 numbers, counted from 0, so none is 19"),
        ("ncp", Lesions().toggle(0, 1), "no synapse leads from neuron 0 to neuron 1"),
        ("lstm", Lesions().clamp(-1, 0.0), "has 128 numbers"),
        ("lstm", Lesions().toggle(1, 0), "the core lstm has no synapses"),
        ("cnn", Lesions().silence(0), "has 0 numbers"),
        ("ncp", Lesions().clamp(0, np.nan), "from -1000 to 1000, not nan"),
        ("lstm", Lesions().clamp(0, -1e30), "from -1000 to 1000, not -1e\\+30"),
    ],
)
def test_refusals(core: str, lesions: Lesions, sentence: str) -> None:
    spec = DriverSpec(core=core, camera_height=48, camera_width=160, curvature_limit_per_m=0.02)
    with pytest.raises(ValueError, match=sentence):
        lesioned(Driver.build(spec, 0), lesions)
