"""The drivers: conv head, wiring, recurrent cores and the privileged expert."""
