"""The liquid time-constant core: its equation, a solver in torch operations, and a compiled one with its gradients."""

from lanekeep_policies.cores.ltc.ltc import LTC
