"""Effects of groups when others are absent as well: two lane lines back each other up, and to take one away shows nothing.

A table of all coalitions v(S), the steering with only the groups in S present, gives three answers:

    leave-one-out    v(N) - v(N without k)          blind to what has a substitute
    add-one-in       v({k}) - v(none)               blind to what needs company
    Shapley          the mean over all orders in which the groups may join of what k brings; they add up to v(N) - v(none)

Shapley, A value for n-person games, 1953.
"""

from collections.abc import Sequence
from math import factorial

import numpy as np
from numpy.typing import NDArray

from lanekeep.effects.elements import removal_of
from lanekeep_envs import Element, Intervention

F64 = NDArray[np.float64]
MOST_GROUPS = 8


def coalitions(groups: Sequence[Sequence[Element]]) -> list[tuple[Intervention, ...]]:
    """A variant of the scene for each set of groups that are present; bit k of its place in the list says if group k is.

    ValueError for more than 8 groups, whose 2^n pictures nobody waits for.
    """
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"a Shapley value is of at most {MOST_GROUPS} groups here, not {len(groups)}")
    return [
        removal_of([element for k, group in enumerate(groups) if not present >> k & 1 for element in group])
        for present in range(1 << len(groups))
    ]


def leave_one_out(table: F64) -> F64:
    """Table [..., 2^G] to effects [..., G]."""
    everyone = table.shape[-1] - 1
    return np.stack([table[..., everyone] - table[..., everyone & ~(1 << k)] for k in range(_groups(table))], -1)


def add_one_in(table: F64) -> F64:
    """Table [..., 2^G] to effects [..., G]."""
    return np.stack([table[..., 1 << k] - table[..., 0] for k in range(_groups(table))], -1)


def shapley(table: F64) -> F64:
    """Table [..., 2^G] to values [..., G]."""
    groups = _groups(table)
    sets = np.arange(1 << groups)
    sizes = np.array([int(s).bit_count() for s in sets])
    weights = np.array(
        [factorial(n) * factorial(max(groups - n - 1, 0)) / factorial(groups) for n in range(groups + 1)]
    )
    values = []
    for k in range(groups):
        without = sets[(sets >> k & 1) == 0]
        brought = table[..., without | 1 << k] - table[..., without]
        values.append((weights[sizes[without]] * brought).sum(-1))
    return np.stack(values, -1)


def _groups(table: F64) -> int:
    return int(table.shape[-1]).bit_length() - 1
