"""Between torch and the compiled LTC: tensors to arrays without a copy, and the backward pass for autograd."""

from collections.abc import Callable
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lanekeep_policies.cores.ltc.circuit import LANES, Solver, Trace, Weights, prepare
from lanekeep_policies.cores.ltc.kernel_backward import backward
from lanekeep_policies.cores.ltc.kernel_forward import advance, forward

Array = NDArray[Any]
PRECISIONS = (torch.float32, torch.float64)


Plain = Callable[[Weights, Tensor, Tensor, Tensor], Tensor]  # the same in torch operations, to states [B, T, S]


def is_for_us(features: Tensor, state: Tensor, elapsed: float | Tensor, weights: Weights) -> bool:
    """Whether the compiled form can stand in for torch operations: on CPU, in single or double precision, and where nobody
    (vmap, jvp, a tracer, a compiler, a gradient with respect to time) needs to see the operations themselves."""
    times = (elapsed,) if isinstance(elapsed, Tensor) else ()
    tensors = (features, state, *weights, *times)
    return (
        features.dtype in PRECISIONS
        and all(type(t) in (Tensor, torch.nn.Parameter) and t.is_cpu and t.dtype == features.dtype for t in tensors)
        and not any(t.requires_grad for t in times)
        and not torch._C._are_functorch_transforms_active()
        and not torch.compiler.is_compiling()
        and not torch._C._is_tracing()
    )


def solve(
    solver: Solver, plain: Plain, weights: Weights, features: Tensor, state: Tensor, elapsed: float | Tensor, motor: int
) -> tuple[Tensor, Tensor]:
    """Outputs [B, T, motor] and the last state [B, S]; `elapsed` is a number or [B, T]."""
    times = elapsed if isinstance(elapsed, Tensor) else features.new_full((1, 1), elapsed)
    if torch.is_grad_enabled() and any(t.requires_grad for t in (features, state, *weights)):
        outputs, last = _Compiled.apply(solver, plain, motor, features, state, times, *weights)
        return outputs, last
    arrays, rows, start = Weights(*map(_array, weights)), _array(features), _array(state)
    outputs, last = _room(rows, start, motor)
    forward(arrays, solver, rows, start, _array(times), outputs, last, _trace(solver, start, 0))
    return torch.from_numpy(outputs), torch.from_numpy(last)


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().numpy()
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def _room(features: Array, state: Array, motor: int) -> tuple[Array, Array]:
    """Arrays for the outputs and the last state."""
    return np.empty((*features.shape[:2], motor), features.dtype), np.empty_like(state)


def _trace(solver: Solver, state: Array, steps: int) -> Trace:
    """Room for the trace of so many steps; of none: scratch."""
    rows, neurons = state.shape
    n, blocks = min(rows, LANES), -(-rows // LANES) if steps else 1

    def room(places: int, width: int) -> Array:
        return np.empty((blocks, max(places, 1), width * n), state.dtype)

    unfolds, ends = steps * solver.unfolds, solver.ends
    synapses, sensory = len(ends.source), len(ends.sensory_source)
    return Trace(room(unfolds + 1, neurons), room(unfolds, neurons), room(unfolds, synapses), room(steps, sensory))


@final
class _Compiled(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        solver: Solver,
        plain: Plain,
        motor: int,
        features: Tensor,
        state: Tensor,
        times: Tensor,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(features, state, times, *weights)
        ctx.plain, ctx.motor = plain, motor
        arrays, rows, start, spans = Weights(*map(_array, weights)), _array(features), _array(state), _array(times)
        trace, (outputs, last) = _trace(solver, start, rows.shape[1]), _room(rows, start, motor)
        forward(arrays, solver, rows, start, spans, outputs, last, trace)
        ctx.arrays = arrays, solver, rows, spans, trace
        return torch.from_numpy(outputs), torch.from_numpy(last)

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor | None, ...]:
        features, state, times, *weights = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of the gradient is wanted: only torch's operations have one
            inputs = (features, state, times, *weights)
            return (None, None, None, *_plain_gradients(ctx.plain, ctx.motor, inputs, (d_outputs, d_last)))
        found = map(torch.from_numpy, backward(*ctx.arrays, _array(d_outputs), _array(d_last)))
        return None, None, None, next(found), next(found), None, *found


def _plain_gradients(
    plain: Plain, motor: int, inputs: tuple[Tensor, ...], grads: tuple[Tensor, Tensor]
) -> list[Tensor | None]:
    """The gradients as torch operations, which can be differentiated once more."""
    # aliases: what a state or a feature was made from, weights included, is the business of the graph outside
    inputs = tuple(t.view_as(t) if t.requires_grad else t for t in inputs)
    features, state, times, *weights = inputs
    states = plain(Weights(*weights), features, state, times.expand(features.shape[:2]))
    wanted = [t for t in inputs if t.requires_grad]
    found = iter(torch.autograd.grad((states[..., :motor], states[:, -1]), wanted, grads, create_graph=True))
    return [next(found) if t.requires_grad else None for t in inputs]


@final
class Stepper:
    """One step at a time for driving, with the weights as they were when it was made."""

    def __init__(self, solver: Solver, weights: Weights, motor: int, time_unit_s: float) -> None:
        self._circuit = prepare(Weights(*(_array(weight).copy() for weight in weights)), solver)
        self._solver, self._motor, self._time_unit_s = solver, motor, time_unit_s

    def __call__(self, features: Tensor, state: Tensor, dt_s: float) -> tuple[Tensor, Tensor]:
        """Features [B, F] and state [B, S] to outputs [B, motor] and state."""
        rows, start = _array(features)[:, None], _array(state)
        times = np.full((1, 1), dt_s / self._time_unit_s, rows.dtype)
        outputs, last = _room(rows, start, self._motor)
        advance(self._circuit, rows, start, times, outputs, last, _trace(self._solver, start, 0))
        return torch.from_numpy(outputs[:, 0]), torch.from_numpy(last)
