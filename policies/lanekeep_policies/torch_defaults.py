"""What a program may have set in torch for all its code, put aside: precision, device, grad mode, autocast."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_defaults() -> Iterator[None]:
    """New tensors are float32, on the CPU, and may be trained, whatever the caller has set."""
    precision = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.device("cpu"), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(precision)
