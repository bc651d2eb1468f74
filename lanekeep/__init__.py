"""Train, watch and compare 19-neuron lane-keeping drivers."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # before anything imports pygame, which else greets on stdout


def __getattr__(name: str) -> str:
    """`lanekeep.__version__`, read from the installed package when it is asked for: importing lanekeep stays fast."""
    if name == "__version__":
        from importlib.metadata import version

        return version("lanekeep")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
