"""How fast every core is, on one thread, in CPU time, next to ncps and torch's LSTM.

Within each repeat everything is measured once, in turn, so that a ratio compares what ran within seconds of each other.  A
measurement is as many calls as fill a window of CPU time, at least one; Python's garbage collector rests (timeit).
"""

import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich import box
from rich.table import Table

from lanekeep.bench.measures import Measures, Turns, compared, in_turns, report
from lanekeep.bench.networks import IN_TORCH, NCP, NCPS_LTC, TORCH_LSTM, Network, Size, every_network
from lanekeep.driving.threads import one_thread
from lanekeep.settings import JsonFile, check_outputs, in_range
from lanekeep.terminal import Terminal

RATIOS = {  # seconds of a network in those of another
    "ltc_forward_vs_ncps": (f"{NCPS_LTC}: forward", f"{NCP}: forward"),
    "ltc_forward_backward_vs_ncps": (f"{NCPS_LTC}: forward_backward", f"{NCP}: forward_backward"),
    "lstm64_vs_ltc_forward_backward": (f"{TORCH_LSTM}: forward_backward", f"{NCP}: forward_backward"),
    "ltc_step_vs_ncps": (f"{NCPS_LTC}: step", f"{NCP}: step"),
    "torch_forward_vs_ncps": (f"{NCPS_LTC}: forward", f"{IN_TORCH}: forward"),
    "torch_forward_backward_vs_ncps": (f"{NCPS_LTC}: forward_backward", f"{IN_TORCH}: forward_backward"),
}
COLUMNS = {  # operation -> heading, unit in seconds
    "forward": ("forward, ms", 1e-3),
    "forward_backward": ("forward and\nbackward, ms", 1e-3),
    "step": ("single step, us", 1e-6),
}
WINDOW_S = 0.015
PASS = Size(batch=32, time=32)
WIDTH = 100  # columns of the table; in a narrower terminal its lines are broken, but nothing is left out


@dataclass(frozen=True)
class BenchCores:
    """How fast every core is, in passes and in single steps, against ncps and torch's LSTM."""

    repeats: int = 30
    """Repeats; each times everything once."""
    json: JsonFile = None
    """Also write the ratios to this file."""

    def __post_init__(self) -> None:
        check_outputs(self)
        in_range(self, "repeats", 1, 10_000)


def bench_cores(settings: BenchCores, size: Size = PASS, window_s: float = WINDOW_S) -> None:
    """Time every network on passes of this size."""
    with one_thread():
        networks = every_network(size)
        times = measure(networks, settings.repeats, window_s)
    title = f"batch {size.batch}, {size.time} steps, one thread, CPU time: median min..max of {settings.repeats}"
    Terminal().print_table(table(title, networks, times))
    measures = compared(times, RATIOS)
    report("how many times as fast ours is", measures, measures, settings.json)


@torch.no_grad()
def measure(networks: dict[str, Network], repeats: int, window_s: float) -> Measures:
    """Seconds of each call, by "network: operation"."""

    def note(times: Measures) -> str:
        faster = np.median(compared(times, RATIOS)["ltc_forward_backward_vs_ncps"])
        return f"forward and backward {faster:.1f} times as fast as ncps"

    return in_turns(seconds_per_calls(networks, window_s), repeats, note)


def seconds_per_calls(networks: dict[str, Network], window_s: float) -> Turns:
    """Turns in which each call fills a window of CPU time; the first compiles and finds how many calls that takes."""
    calls = {f"{name}: {of}": call for name, network in networks.items() for of, call in network.calls.items()}
    numbers = {name: calls_in(window_s, call) for name, call in calls.items()}
    while True:
        yield {name: seconds_per_call(call, numbers[name]) for name, call in calls.items()}


def seconds_per_call(call: Callable[[], Any], number: int) -> float:
    """CPU time of this process."""
    return timeit.timeit(call, timer=time.process_time, number=number) / number


def calls_in(window_s: float, call: Callable[[], Any]) -> int:
    """How many calls fill the window; the first, which may compile, does not count."""
    call()
    once_s = min(seconds_per_call(call, 1) for _ in range(3))
    return max(1, round(window_s / max(once_s, 1e-6)))  # a clock may count in microseconds


def table(title: str, networks: dict[str, Network], times: Measures) -> Table:
    """A row for each network."""
    result = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    result.add_column("network", no_wrap=True)
    for heading in ("active", "stored"):
        result.add_column(heading, justify="right", no_wrap=True)
    for heading, _ in COLUMNS.values():
        result.add_column(heading, no_wrap=True)
    for name, network in networks.items():
        spreads = [spread(times[f"{name}: {operation}"], unit_s) for operation, (_, unit_s) in COLUMNS.items()]
        result.add_row(name, f"{network.active:,}", f"{network.stored:,}", *spreads)
    result.caption = "active: parameters that can influence the outputs; stored: those that are trained"
    return result


def spread(seconds: list[float], unit_s: float) -> str:
    """Median and min..max, aligned for a column."""
    median, low, high = (digits(number / unit_s) for number in (np.median(seconds), min(seconds), max(seconds)))
    return f"{median:>4} {low}..{high}"


def digits(number: float) -> str:
    """Three significant digits of 1 to 999, no more than two decimals of less, all digits of more."""
    return f"{number:.{sum(number < limit for limit in (9.995, 99.95))}f}"
