"""Weights that are not of ncps, and cores and arguments that it does not have, are refused in one sentence."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from ncps_models import NAMES, cfc, driver_of, ltc, wired_cfc
from torch import Tensor, nn

from lanekeep_policies import CORES, Driver, DriverSpec
from lanekeep_policies.ncps import CfCArguments, CoreAndReadout, LTCArguments, from_ncps, to_ncps


@pytest.mark.parametrize("name", [name for name in CORES if not name.startswith(NAMES)])
def test_cores_that_ncps_has_not_are_refused(name: str) -> None:
    driver = Driver.build(DriverSpec(core=name, camera_height=78, camera_width=200, curvature_limit_per_m=0.1), 0)
    kind = type(driver.core).__name__
    with pytest.raises(ValueError, match=rf"ncps has no {kind}, .*\({name}\) is: it has LTC, CfC and WiredCfC, each"):
        to_ncps(driver)


def test_a_read_out_that_mixes_motor_neurons_is_refused() -> None:
    core, _ = from_ncps(ltc().state_dict())
    for outputs, weight in ((1, 1.0), (2, 0.5)):
        readout = nn.Linear(2, outputs)
        readout.weight.data[:] = weight
        with pytest.raises(
            ValueError, match=f"no place for a read-out that makes {outputs} outputs of 2 motor neurons"
        ):
            to_ncps(driver_of(CoreAndReadout(core, readout)))


def without(name: str) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors.pop(name)


def having(name: str, *shape: int, value: float = 0.5) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors.update({name: torch.full(shape, value, dtype=torch.float64)})


DAMAGE: list[tuple[Callable[..., nn.Module], Callable[[dict[str, Tensor]], object], str]] = [
    (ltc, dict.clear, "no name in it begins with rnn_cell."),
    (ltc, having("weight_ih_l0", 3), "weight_ih_l0 is not of ncps' LTC or CfC"),
    (ltc, lambda tensors: tensors.update({"rnn_cell.w": [1.0]}), "rnn_cell.w is not a tensor of finite floating"),
    (ltc, lambda tensors: tensors["rnn_cell.mu"].fill_(np.nan), "rnn_cell.mu is not a tensor of finite floating"),
    (ltc, lambda tensors: tensors.update({"rnn_cell.w": tensors["rnn_cell.w"].float()}), "not torch.float32 and torch"),
    *((ltc, without(f"rnn_cell.{name}"), f"rnn_cell.{name} is missing") for name in ("w", "gleak", "sparsity_mask")),
    (ltc, without("rnn_cell.sensory_sparsity_mask"), "rnn_cell.sensory_sparsity_mask is missing"),
    (ltc, without("rnn_cell.input_w"), "rnn_cell.input_w is missing"),
    (ltc, without("rnn_cell.output_w"), "does not tell its number of motor neurons: give motor="),
    (ltc, having("rnn_cell.tau", 12), "rnn_cell.tau is not of an LTC"),
    (ltc, having("fc.weight", 1, 2), "fc.weight is not of an LTC"),
    (ltc, having("rnn_cell.w", 5, 12), r"rnn_cell.w must be \[12, 12\] in this LTC, not \[5, 12\]"),
    (ltc, having("rnn_cell.sparsity_mask", 12), r"rnn_cell.sparsity_mask must be \[12, 12\] in this LTC, not \[12\]"),
    (ltc, having("rnn_cell.sensory_sparsity_mask", 12), "rnn_cell.sensory_sparsity_mask must be a matrix"),
    (
        ltc,
        having("rnn_cell.sparsity_mask", 12, 12),
        "rnn_cell.sparsity_mask is a mask, and must hold nothing but 0 and 1",
    ),
    (ltc, having("rnn_cell.sparsity_mask", 12, 12, value=0.0), "No path leads from a sensory neuron to motor neuron 0"),
    (ltc, having("rnn_cell.output_w", 13), "There can be 1 to 12 motor neurons, as there are 12 neurons, but not 13"),
    (ltc, having("lstm.input_map.bias", 4), "missing .*lstm.input_map.weight"),
    (cfc, without("rnn_cell.ff1.weight"), "rnn_cell.ff1.weight is missing"),
    (cfc, without("rnn_cell.ff2.weight"), "missing .*ff2.weight"),
    (cfc, without("fc.bias"), "missing .*fc.bias"),
    (cfc, having("rnn_cell.ff3.weight", 3), "unknown .*ff3.weight"),
    (
        cfc,
        having("rnn_cell.backbone.4.weight", 7, 7),
        r"The layers of a backbone are numbered 0, 2, 4 .*, not \[0, 4\]",
    ),
    (cfc, having("rnn_cell.time_a.weight", 7, 7), r"time_a.weight must be \[7, 11\], not \[7, 7\]"),
    (cfc, having("fc.weight", 3, 8), r"fc.weight must be \[3, 7\], not \[3, 8\]"),
    (wired_cfc, without("rnn_cell.layer_1.sparsity_mask"), "rnn_cell.layer_1.sparsity_mask is missing"),
    (wired_cfc, without("rnn_cell.layer_2.time_b.bias"), "missing .*layer_2.time_b.bias"),
    (wired_cfc, having("rnn_cell.layer_3.ff1.weight", 1, 1), "has the layers layer_0, layer_1 and layer_2 .*layer_3"),
    (wired_cfc, having("rnn_cell.layer_1.sparsity_mask", 4, 10), "rnn_cell.layer_1.sparsity_mask is a mask"),
    (wired_cfc, having("rnn_cell.layer_1.sparsity_mask", 4, 11, value=1.0), r"is not \[n, n before \+ n\]"),
    (wired_cfc, having("rnn_cell.layer_2.sparsity_mask", 2, 6, value=0.0), r"layer_2.* with ones for the n neurons"),
]


@pytest.mark.parametrize("build, damage, sentence", DAMAGE)
def test_other_state_dicts_are_refused(
    build: Callable[..., nn.Module], damage: Callable[[dict[str, Tensor]], object], sentence: str
) -> None:
    tensors = dict(build().state_dict())
    from_ncps(tensors)
    damage(tensors)
    with pytest.raises(ValueError, match=sentence):
        from_ncps(tensors)


def test_arguments_that_do_not_fit_are_refused() -> None:
    for model, arguments, sentence in (
        (ltc(), {"ltc": LTCArguments(motor=3)}, "rnn_cell.output_w is of 2 motor neurons, not of motor=3"),
        (ltc(output_mapping=None), {"ltc": LTCArguments(motor=0)}, "There can be 1 to 12 motor neurons"),
        (ltc(), {"ltc": LTCArguments(ode_unfolds=0)}, "unfolds >= 1"),
        (ltc(), {"time_unit_s": 0.0}, "unit of time must be positive"),
        (cfc(), {"cfc": CfCArguments(mode="pure")}, "missing .*w_tau"),
        (cfc("pure"), {"cfc": CfCArguments(mode="no-gate")}, "unknown .*w_tau"),
        (cfc(), {"cfc": CfCArguments(mode="no_gate")}, "mode of a CfC is one of default, no-gate, pure"),
        (cfc(), {"cfc": CfCArguments(activation="elu")}, "activation of a CfC is one of"),
    ):
        with pytest.raises(ValueError, match=sentence):
            from_ncps(model.state_dict(), **arguments)


def test_conductances_below_zero_are_refused_without_implicit_constraints() -> None:
    tensors = ltc().state_dict()
    hidden = tensors["rnn_cell.sparsity_mask"] == 0.0
    tensors["rnn_cell.w"][hidden] = -1.0
    from_ncps(tensors, ltc=LTCArguments(implicit_param_constraints=False))
    tensors["rnn_cell.cm"][0] = -1.0
    from_ncps(tensors)
    with pytest.raises(
        ValueError, match="Without implicit constraints none of gleak, cm, w, sensory_w may be negative"
    ):
        from_ncps(tensors, ltc=LTCArguments(implicit_param_constraints=False))
