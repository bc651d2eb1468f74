"""The closed-form solution of a liquid neuron as the lecture's slide has it, and how far it is from the equation's.

    dx/dt = -[1/tau + f(I)] x + A [1/tau + f(I)],    f in [0, 1], x(0) = x0                     the equation
    x(t)  = (x0 - A) e^{-t/tau - integral of f(I)} + A                                          its exact solution
    x~(t) = (x0 - A) e^{-[1/tau + f(I(t))] t} f(-I(t)) + A                                      the slide's
    |x~(t) - x(t)| <= |x0 - A| e^{-t/tau}                                                       its bound
The slide's form needs the input at time t alone, not its whole past: no integral, no solver. Exact and approximate
factor of (x0 - A) both lie between 0 and e^{-t/tau}, hence the bound. For a constant input the integral is f(I) t, and the
exact solution is the slide's without the factor f(-I).

What the core `cfc-pure` (cores/cfc.py), the code form of this solution, keeps:
    the asymptote A; a decay at the rate 1/tau + f(I), hence a time constant that the input shortens, never above tau.
What it changes:
    1/tau -> |w_tau|;    f(I) -> |ff1|, which can exceed 1;    f(-I) -> ff1, the same number with its sign.
What it drops:
    x0, replaced by 0: the old state enters only through ff1, among the inputs;
    the bound, since ff1 is not confined to [0, 1].
Neither form gives x0 back at t = 0: the slide's has (x0 - A) f(-I) + A there, the code's A - A ff1. The default mode of
CfC goes further: it replaces the decay by a sigmoid of time, and x0 and A by two networks.

Times in the unit of tau; all else is dimensionless. Numbers, or numpy arrays that broadcast.
Hasani et al., Nat. Mach. Intell. 4, 992-1003 (2022), Theorem 1. The LTC of Hasani et al., AAAI 2021, eq. 1 has A f(I) alone
as its source: it tends to A f / (1/tau + f), between 0 and A.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Synapse = Callable[[Floats], Floats]


def sigmoid(x: ArrayLike) -> Floats:
    """f(I) = 1 / (1 + e^{-I}), the usual synapse; f(-I) = 1 - f(I)."""
    return _floats(0.5 * (1.0 + np.tanh(0.5 * _floats(x))))  # no overflow


def closed_form(
    t: ArrayLike, x0: ArrayLike, asymptote: ArrayLike, tau: ArrayLike, current: ArrayLike, synapse: Synapse = sigmoid
) -> Floats:
    """The slide's approximate solution at time t >= 0, where `current` is the input I at that time."""
    t, x0, asymptote, rate, current = _checked(t, x0, asymptote, tau, current)
    decay = np.exp(-(rate + synapse(current)) * t)
    return _floats((x0 - asymptote) * decay * synapse(-current) + asymptote)


def bound(t: ArrayLike, x0: ArrayLike, asymptote: ArrayLike, tau: ArrayLike) -> Floats:
    """How far `closed_form` can be from the solution at time t >= 0, whatever the input did, if 0 <= f <= 1."""
    t, x0, asymptote, rate, _ = _checked(t, x0, asymptote, tau, 0.0)
    return _floats(np.abs(x0 - asymptote) * np.exp(-rate * t))


def _checked(
    t: ArrayLike, x0: ArrayLike, asymptote: ArrayLike, tau: ArrayLike, current: ArrayLike
) -> tuple[Floats, ...]:
    """Turn t, x0, A, tau and I into the arrays t, x0, A, 1/tau and I; ValueError for a t below 0 or a tau not above it."""
    times, taus = _floats(t), _floats(tau)
    if not (times >= 0.0).all():
        raise ValueError("The time t of a closed-form solution must not be negative.")
    if not (taus > 0.0).all():
        raise ValueError("The time constant tau must be positive.")
    return times, _floats(x0), _floats(asymptote), 1.0 / taus, _floats(current)


def _floats(numbers: Any) -> Floats:
    return np.asarray(numbers, np.float64)
