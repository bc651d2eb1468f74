"""What is handed to kernels again and again, unpacked once and kept as it lies in memory.

To unpack a tuple of forty arrays takes as long as to draw a small picture.
"""

import hashlib
from typing import Any

import numpy as np
from numba import config, typeof, types
from numba.extending import intrinsic

from lanekeep_envs.compiled.decorators import no_refcount

WORDS = 512  # at most, of 8 bytes
_KINDS: dict[str, Any] = {}  # numba's types of what is kept
_PLAIN = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]


def boxed(value: Any) -> Any:
    """What a kernel makes `value` of again, by `kept`; it owns nothing, so `value` has to outlive it.

    Its type names that of the value: a kernel compiled for another one is not called with it.
    """
    if _PLAIN:
        return value
    kind = typeof(value)
    name = "kept_" + hashlib.sha256(str(kind).encode()).hexdigest()
    _KINDS[name] = kind
    room = np.zeros(1, [(name, np.int64, (WORDS,))])
    _write(room, value)
    return room


def _place(context: Any, builder: Any, room_type: Any, room: Any, kind: Any) -> Any:
    """Where in the room it lies."""
    layout = context.get_value_type(kind)
    if context.get_abi_sizeof(layout) > 8 * WORDS:
        raise ValueError(f"{kind} is too large to be kept")
    return builder.bitcast(context.make_array(room_type)(context, builder, room).data, layout.as_pointer())


@intrinsic
def _store(typing, room, value):
    def write(context, builder, signature, given):
        builder.store(given[1], _place(context, builder, signature.args[0], given[0], signature.args[1]))
        return context.get_dummy_value()

    return types.void(room, value), write


@no_refcount
def _write(room, value):
    """Without counting references: the arrays written belong to nobody."""
    _store(room, value)  # type: ignore[call-arg]


@intrinsic
def _load(typing, room):
    (name,) = room.dtype.fields

    def read(context, builder, signature, given):
        return builder.load(_place(context, builder, signature.args[0], given[0], signature.return_type))

    return _KINDS[name](room), read


def _same(room: Any) -> Any:
    """Uncompiled, nothing is unpacked."""
    return room


unboxed: Any = _same if _PLAIN else _load
