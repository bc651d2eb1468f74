"""What drivers take from numpy, OpenCV and torch: arrays of any memory layout to tensors, and tensors to arrays."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

READ = (np.uint8, np.float16, np.float32, np.float64)  # numbers of any other kind become float64


def tensor_of(values: Any) -> Tensor:
    """A tensor of an array with any strides and byte order, read-only or not; it shares the memory where it can.

    Raises ValueError for what holds no numbers.
    """
    if isinstance(values, Tensor):
        return values
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"an observation holds numbers, not {array.dtype}")
    if array.dtype not in READ:
        array = array.astype(np.float64)
    if not (array.flags.c_contiguous and array.flags.writeable):
        array = array.copy(order="C")  # torch has no negative strides and no tensors that are read only
    return torch.from_numpy(array)


def array_of(tensor: Tensor) -> NDArray[Any]:
    """An array of a tensor on any device; bfloat16, which numpy does not have, becomes float32."""
    tensor = tensor.detach().cpu()
    array: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array
