"""Weights in and out of the package ncps (1.0.1): its `torch.LTC` and `torch.CfC` as cores, drivers as its models."""

from lanekeep_policies.ncps.weights import CoreAndReadout, from_ncps, to_ncps

__all__ = ["CoreAndReadout", "from_ncps", "to_ncps"]
