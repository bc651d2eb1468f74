"""Weights in and out of the package ncps (1.0.1): its `torch.LTC` and `torch.CfC` as cores, drivers as its models."""

from lanekeep_policies.ncps.cfc import CfCArguments
from lanekeep_policies.ncps.ltc import LTCArguments
from lanekeep_policies.ncps.weights import CoreAndReadout, from_ncps, to_ncps
