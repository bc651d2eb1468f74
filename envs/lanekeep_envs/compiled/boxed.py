"""Boxed tuples: arguments that are handed to kernels again and again, unpacked once and kept as they lie in memory.

numba unpacks a tuple of forty arrays at every call, which takes as long as drawing a small picture.  A box is a numpy array
whose memory is the unpacked tuple; its one field is named after the tuple's type, so that numba compiles a kernel for that
type and no other.
"""

import hashlib
from typing import Any

import numpy as np
from numba import config, typeof, types
from numba.extending import intrinsic

from lanekeep_envs.compiled.decorators import no_refcount

WORDS = 512  # at most, of 8 bytes
_KINDS: dict[str, Any] = {}  # name of a field -> numba's type of what is boxed in it
_PLAIN = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]


def boxed(value: Any) -> Any:
    """Return a box of `value`, which a kernel opens by `unboxed`; the box owns nothing, so `value` has to outlive it."""
    if _PLAIN:
        return value
    kind = typeof(value)
    name = "boxed_" + hashlib.sha256(str(kind).encode()).hexdigest()
    _KINDS[name] = kind
    box = np.zeros(1, [(name, np.int64, (WORDS,))])
    _write(box, value)
    return box


def _place(context: Any, builder: Any, box_type: Any, box: Any, kind: Any) -> Any:
    """Return a pointer to the memory of a box, as one to a value of this kind."""
    layout = context.get_value_type(kind)
    if context.get_abi_sizeof(layout) > 8 * WORDS:
        raise ValueError(f"{kind} is too large to be boxed")
    return builder.bitcast(context.make_array(box_type)(context, builder, box).data, layout.as_pointer())


@intrinsic
def _store(typing, box, value):
    def write(context, builder, signature, given):
        builder.store(given[1], _place(context, builder, signature.args[0], given[0], signature.args[1]))
        return context.get_dummy_value()

    return types.void(box, value), write


@no_refcount
def _write(box, value):
    """Write a value into a box; references are not counted, since a box owns no arrays."""
    _store(box, value)  # type: ignore[call-arg]


@intrinsic
def _load(typing, box):
    (name,) = box.dtype.fields

    def read(context, builder, signature, given):
        return builder.load(_place(context, builder, signature.args[0], given[0], signature.return_type))

    return _KINDS[name](box), read


def _same(box: Any) -> Any:
    """Return what `boxed` returned where numba is switched off: the value itself."""
    return box


unboxed: Any = _same if _PLAIN else _load
