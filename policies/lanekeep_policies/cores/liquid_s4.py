"""Liquid-S4 core: a diagonal linear state space in each channel, plus products of its latest inputs.

    dx/dt = A x + B u,    y_k = 2 Re(C x_k) + D u_k + sum_p 2 Re(C Bbar_k^p) u_k u_{k-1} .. u_{k-p+1},    p = 2..P
    x_k = Abar_k x_{k-1} + Bbar_k u_k,    Abar_k = exp(A d_k),    Bbar_k = (Abar_k - 1) / A * B,    d_k = step * elapsed_k
with u = W f + b of the features f, and outputs GLU(W' GELU(y) + b').  Each channel has N/2 complex states, each standing
for itself and its conjugate, and its own `step`; A, B, C are complex and diagonal, so Bbar^p is the p-th power of each.

"Liquid" means x_k = (Abar + Bbar u_k) x_{k-1} + Bbar u_k: the input also sets the time constant.  Written out, y_k is
the sum of S4 and of products of two and more inputs.  The form PB ("powers of B"; `polyb` in the authors' code) keeps,
up to degree P, the products of consecutive inputs that end at u_k, which are those without an Abar; it drops every
product with a gap and every one that has passed: they are not remembered, and the state itself stays linear in u.
What is dropped is of second order in u, as what is kept, so that PB is not nearer to the recurrence than S4 for small
inputs, only another network.  For P >= 2 it equals the recurrence over the first two steps from zero, and where Abar = 0
over the first P.
P = 1 is plain S4D.  After an uneven step the earlier inputs of a product count as if they had lasted as long as the last.

Discretisation: zero-order hold, as in S4D, not the authors' bilinear transform, for which Abar -> -1 after a long step:
it would remember, with alternating sign, what came before a gap.  ZOH forgets it, and is exact for an input that is held:
two steps are one of their summed time.  With no time, Abar = 1 and Bbar = 0.  Re A = -exp(.) < 0, so |Abar| < 1.
Start: S4D-Lin, A_n = -1/2 + i pi n, B = 1, C complex normal, D normal.  `step` is log-uniform in 0.02..0.5 a time unit,
which remembers for 2 / step = 4..100 units: 0.2..5 s.

Two forms of the same numbers: the recurrence, and, for sequences of one constant dt, the convolution with
K_i = 2 Re(C Abar^i Bbar), in blocks of up to 32 steps as a Toeplitz matrix.
State [B, H N + (P-1) H]: Re x, Im x [H, N/2 each], then u_{k-1} .. u_{k-P+1}.  B batch, T time, H channels, N states.
All arithmetic is real.

Hasani, Lechner, Wang, Chahine, Amini, Rus, Liquid Structural State-Space Models, ICLR 2023, section 3. In their code
(github.com/raminmh/liquid-s4 at d3a72bd, s4.py) the products run backwards in time, step() has none, and Bbar^2 is
Bbar sum(Bbar); here they are what the equation says, so that a car can drive by them.
S4D and S4D-Lin: Gu, Gupta, Goel, Re, NeurIPS 2022, sections 3.2 and 4.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lanekeep_policies.cores.core import Core, hold, in_turn

BLOCK = 32  # steps a Toeplitz matrix spans: its cost per step grows with it, that of the loop falls
SHORTEST_STEP, LONGEST_STEP = 0.02, 0.5  # [time units]

Complex: TypeAlias = tuple[Tensor, Tensor]  # real and imaginary part


class Convolution(NamedTuple):
    """What turns L inputs into L outputs and the last state, L <= BLOCK."""

    powers: Complex  # [L + 1, H, M] Abar^i
    bbar: Complex  # [H, M]
    kernel: Tensor  # [H, L] K_i


@final
class LiquidS4(Core):
    """One Liquid-S4 layer with the PB kernel; `states` counts a conjugate pair as two, and `degree` is P."""

    def __init__(
        self, input_size: int, channels: int = 64, states: int = 16, degree: int = 2, time_unit_s: float = 0.05
    ) -> None:
        if states < 2 or states % 2 or degree < 1:
            raise ValueError(
                f"Liquid-S4 needs an even number of states, for they come in conjugate pairs, and a degree >= 1, "
                f"not {states} and {degree}."
            )
        super().__init__(input_size, channels * (states + degree - 1), channels, time_unit_s)
        pairs = states // 2
        self.degree = degree
        self.input_map = nn.Linear(input_size, channels)
        steps = torch.empty(channels, 1).uniform_(math.log(SHORTEST_STEP), math.log(LONGEST_STEP))
        self.log_step = nn.Parameter(steps)
        self.log_decay = nn.Parameter(torch.full((channels, pairs), math.log(0.5)))  # log(-Re A)
        self.frequency = nn.Parameter(math.pi * torch.arange(float(pairs)).repeat(channels, 1))  # Im A
        self.b_re = nn.Parameter(torch.ones(channels, pairs))
        self.b_im = nn.Parameter(torch.zeros(channels, pairs))
        self.c_re = nn.Parameter(torch.randn(channels, pairs) / math.sqrt(2.0))
        self.c_im = nn.Parameter(torch.randn(channels, pairs) / math.sqrt(2.0))
        self.d = nn.Parameter(torch.randn(channels))
        self.output_map = nn.Linear(channels, 2 * channels)

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        u: Tensor = self.input_map(features)
        if isinstance(elapsed, Tensor) or elapsed == 0.0 or u.shape[1] == 1:
            y, state = self.recur(u, state, elapsed)
        else:
            y, state = self.convolve(u, state, elapsed)
        return F.glu(self.output_map(F.gelu(y)), dim=-1), state

    def recur(self, u: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        """Inputs u [B, T, H] and state to y [B, T, H] and state, step by step, at any times."""
        outputs = []
        for latest, time in zip(u.unbind(1), in_turn(elapsed, u.shape[1]), strict=True):
            before, earlier = self._unfolded(state)
            abar, bbar = self._discrete(time.unsqueeze(2) if isinstance(time, Tensor) else time)
            (decayed_re, decayed_im), (b_re, b_im) = _product(abar, before), bbar
            x = decayed_re + b_re * latest.unsqueeze(2), decayed_im + b_im * latest.unsqueeze(2)
            inputs = (latest, *earlier)
            outputs.append(self._twice_real_c(x) + self.d * latest + self._correlations(bbar, inputs))
            state = hold(_flat(x, inputs[:-1]), state, time)
        return torch.stack(outputs, 1), state

    def convolve(self, u: Tensor, state: Tensor, elapsed: float) -> tuple[Tensor, Tensor]:
        """Inputs u [B, T, H] and state to y [B, T, H] and state, a block at a time, for steps of one elapsed > 0."""
        convolution = self._convolution(min(BLOCK, u.shape[1]), elapsed)
        outputs = []
        for block in torch.split(u, BLOCK, dim=1):
            before, earlier = self._unfolded(state)
            linear, x = self._linear_block(convolution, block, before)
            past = torch.stack([*reversed(earlier), *block.unbind(1)], 1)  # [B, P - 1 + L, H], oldest first
            inputs = [past[:, self.degree - 1 - age : past.shape[1] - age] for age in range(self.degree)]
            outputs.append(linear + self.d * block + self._correlations(convolution.bbar, inputs))
            state = _flat(x, past.flip(1).unbind(1)[: self.degree - 1])
        return torch.cat(outputs, 1), state

    def _unfolded(self, state: Tensor) -> tuple[Complex, tuple[Tensor, ...]]:
        """The flat state as x, [B, H, M] each, and the earlier inputs u_{k-1}, u_{k-2}, .., [B, H] each."""
        channels, pairs = self.c_re.shape
        re, im, inputs = torch.split(state, [channels * pairs, channels * pairs, channels * (self.degree - 1)], dim=1)
        x = re.reshape(-1, channels, pairs), im.reshape(-1, channels, pairs)
        return x, inputs.reshape(len(state), self.degree - 1, channels).unbind(1)

    def _exponent(self, elapsed: float | Tensor) -> Complex:
        """A d, [H, M], or [B, H, M] of elapsed [B, 1, 1]."""
        step = torch.exp(self.log_step) * elapsed
        return -torch.exp(self.log_decay) * step, self.frequency * step

    def _discrete(self, elapsed: float | Tensor) -> tuple[Complex, Complex]:
        """Abar and Bbar; Abar - 1 is put together from parts that do not cancel for small elapsed."""
        growth, turn = self._exponent(elapsed)
        abar = _exp(growth, turn)
        rise = torch.expm1(growth) * torch.cos(turn) - 2.0 * torch.sin(turn / 2.0).square(), abar[1]
        decay = torch.exp(self.log_decay)
        square = decay.square() + self.frequency.square()
        b_over_a = _product((self.b_re, self.b_im), (-decay / square, -self.frequency / square))
        return abar, _product(rise, b_over_a)

    def _twice_real_c(self, x: Complex) -> Tensor:
        """2 Re(C x), [.., H] of [.., H, M]: a state and its conjugate."""
        return 2.0 * (self.c_re * x[0] - self.c_im * x[1]).sum(-1)

    def _correlations(self, bbar: Complex, inputs: Sequence[Tensor]) -> Tensor:
        """The terms of degree 2..P, from u_k, u_{k-1}, .., each [B, H] or [B, L, H]."""
        terms = torch.zeros_like(inputs[0])
        product, power = inputs[0], bbar
        for earlier in inputs[1:]:
            product, power = product * earlier, _product(power, bbar)
            terms = terms + self._twice_real_c(power) * product
        return terms

    def _convolution(self, length: int, elapsed: float) -> Convolution:
        growth, turn = self._exponent(elapsed)
        times = torch.arange(length + 1, dtype=growth.dtype, device=growth.device)[:, None, None]
        powers = _exp(growth * times, turn * times)
        _, bbar = self._discrete(elapsed)
        kernel = self._twice_real_c(_product((powers[0][:-1], powers[1][:-1]), bbar))
        return Convolution(powers, bbar, kernel.T)

    def _linear_block(self, convolution: Convolution, u: Tensor, x: Complex) -> tuple[Tensor, Complex]:
        """Inputs [B, L, H] and state to 2 Re(C x) [B, L, H] of each step and the last state."""
        length = u.shape[1]
        kernel = convolution.kernel[:, :length]
        toeplitz = F.pad(kernel, (length - 1, 0)).unfold(1, length, 1).flip(1)  # [H, L, L]: K_{k-j} in row j, column k
        driven = torch.einsum("bjh,hjk->bkh", u, toeplitz)
        re, im = (part[1 : length + 1] for part in convolution.powers)
        from_state = _product((self.c_re, self.c_im), (re, im))
        free = torch.einsum("bhm,lhm->blh", x[0], from_state[0]) - torch.einsum("bhm,lhm->blh", x[1], from_state[1])
        re, im = (part[:length].flip(0) for part in convolution.powers)
        weights = _product((re, im), convolution.bbar)  # [L, H, M] Abar^(L-1-j) Bbar of input j in the last state
        decayed = _product((convolution.powers[0][length], convolution.powers[1][length]), x)
        last_re, last_im = (
            start + torch.einsum("blh,lhm->bhm", u, part) for start, part in zip(decayed, weights, strict=True)
        )
        return driven + 2.0 * free, (last_re, last_im)


def _flat(x: Complex, inputs: Sequence[Tensor]) -> Tensor:
    return torch.cat([x[0].flatten(1), x[1].flatten(1), *inputs], dim=1)


def _product(a: Complex, b: Complex) -> Complex:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _exp(growth: Tensor, turn: Tensor) -> Complex:
    size = torch.exp(growth)
    return size * torch.cos(turn), size * torch.sin(turn)
