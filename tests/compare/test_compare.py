"""Compare: intervals over roads, and what cannot be compared."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from lanekeep.cli.main import main
from lanekeep.compare.verdict import ratio_row
from lanekeep.intervals import interval_over_roads
from lanekeep.training.interrupts import deaf_to_ctrl_c


def test_intervals_resample_roads_and_not_instants() -> None:
    """Ten instants of one road that are all alike are one observation."""
    values, roads = np.repeat([0.0, 1.0], 10), [0] * 10 + [1] * 10
    assert interval_over_roads(values, roads) == (0.5, 0.0, 1.0)
    one = ratio_row("", "", "{}", [(values, np.ones(20)), (values + 1.0, np.ones(20))], np.array(roads))
    assert one.values[0] == (0.5, 0.0, 1.0) and one.difference == pytest.approx((-1.0, -1.0, -1.0))
    assert not one.told_apart, "two roads tell nothing apart"
    many = np.arange(8)
    assert ratio_row("", "", "{}", [(many + 1.0, np.ones(8)), (many + 2.0, np.ones(8))], many).told_apart
    assert np.isnan(interval_over_roads(np.array([np.nan]), [0])).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ncp"], "compare takes two drivers, not 1"),
        (["ncp", "lstm", "ncp"], "compare takes two drivers, not 3"),
        (["ncp", "nope"], "there is no shipped driver 'nope'"),
        (["--seed", "3"], "--seed must be at least 10000"),
        (["--scenario", "sensor_noise"], "sensor_noise shows drivers old frames"),
        (["--out", "a.png", "--picture", "a.png"], "--out a.png: expected a name that ends in .html or .htm"),
        (["--out", "a.pdf"], "--out a.pdf: expected a name that ends in .html or .htm"),
        (["--picture", "a.jpg"], "expected a name that ends in .png"),
        (["--roads", "1"], "--roads must be from 2 to 1000"),
        (["--scenario", "cuontry"], "did you mean country?"),
        (["--out", "/no/such/page.html"], "there is no folder for /no/such/page.html"),
    ],
)
def test_what_cannot_be_compared(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *arguments]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_answers_is_deaf_to_ctrl_c_and_what_asks_is_not() -> None:
    before = signal.getsignal(signal.SIGINT)
    tell = "import signal; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    with deaf_to_ctrl_c():
        told = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True)
    assert told.stdout == "True\n"
    assert signal.getsignal(signal.SIGINT) == before
