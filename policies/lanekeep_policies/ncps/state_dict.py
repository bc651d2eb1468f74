"""What the state dict of a model of ncps holds, before any of it is believed.

Raises ValueError, in one sentence that names the tensor.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Tensors = dict[str, Tensor]


def sorted_out(state_dict: Mapping[str, Tensor]) -> tuple[Tensors, Tensors, Tensors]:
    """The tensors rnn_cell.* without this prefix, lstm.* and fc.*, all finite and of one precision."""
    groups: dict[str, Tensors] = {"rnn_cell": {}, "lstm": {}, "fc": {}}
    for name, tensor in state_dict.items():
        group, _, rest = name.partition(".")
        if group not in groups:
            raise ValueError(f"{name} is not of ncps' LTC or CfC, whose names begin with rnn_cell., lstm. or fc.")
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise ValueError(f"{name} is not a tensor of finite floating-point numbers.")
        groups[group][rest if group == "rnn_cell" else name] = tensor.detach()
    if not groups["rnn_cell"]:
        raise ValueError("The state dict is not of ncps' LTC or CfC: no name in it begins with rnn_cell.")
    precisions = sorted({str(tensor.dtype) for tensor in state_dict.values()})
    if len(precisions) > 1:
        raise ValueError(f"The tensors of a model must be of one precision, not {' and '.join(precisions)}.")
    return groups["rnn_cell"], groups["lstm"], groups["fc"]


def any_of(tensors: Tensors) -> Tensor:
    """One of them, for the precision and device of all."""
    return next(iter(tensors.values()))


def size_of(tensors: Tensors, name: str, prefix: str = "rnn_cell.") -> tuple[int, int]:
    """Rows and columns of a matrix; the prefix is for what is said of another."""
    if name not in tensors:
        raise ValueError(f"{prefix}{name} is missing.")
    if tensors[name].ndim != 2 or 0 in tensors[name].shape:
        raise ValueError(f"{prefix}{name} must be a matrix, not {list(tensors[name].shape)}.")
    rows, columns = tensors[name].shape
    return rows, columns


def mask_of(tensors: Tensors, name: str) -> NDArray[np.int64]:
    """A matrix of zeros and ones of rnn_cell."""
    size_of(tensors, name)
    mask = tensors[name]
    if bool(((mask != 0.0) & (mask != 1.0)).any()):
        raise ValueError(f"rnn_cell.{name} is a mask, and must hold nothing but 0 and 1.")
    return mask.cpu().numpy().astype(np.int64)
