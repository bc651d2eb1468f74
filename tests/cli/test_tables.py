"""Tables are whole in a pipe and in a narrow terminal, and can be written as CSV."""

import csv
import io

import pytest
from rich.table import Table

from lanekeep.terminal import Terminal, as_csv

ROWS = {"ncp": ("0.13\n[0.10, 0.17]", "3"), "a driver whose name is long [/b] \x1b[31m": ("nan", "4")}


def table() -> Table:
    made = Table("driver", "lateral\nRMS m", "departures, which is a long word for a column")
    for name, cells in ROWS.items():
        made.add_row(name, *cells)
    return made


@pytest.mark.parametrize("width", [20, 40, 200])
@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_of_a_table_is_left_out(width: int, terminal: bool) -> None:
    out = io.StringIO()
    Terminal(file=out, width=width, force_terminal=terminal, color_system=None).print_table(table())
    printed = out.getvalue()
    if terminal and width < 100:  # words are broken, none is lost
        assert all(line.count("│") == 4 for line in printed.splitlines() if "│" in line)
        assert {"0.13", "3", "4", "nan"} <= set(printed.split())
        return
    rows = [line.split("│")[1:-1] for line in printed.splitlines() if "│" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["ncp", "0.13", "3"],
        ["", "[0.10, 0.17]", ""],
        ["a driver whose name is long [/b] \\x1b[31m", "nan", "4"],
    ]


def test_a_table_as_csv_has_a_column_for_each_bound() -> None:
    first, *rows = csv.reader(io.StringIO(as_csv(table())))
    assert first[:4] == ["driver", "lateral RMS m", "lateral RMS m low", "lateral RMS m high"]
    assert [row[1:] for row in rows] == [["0.13", "0.10", "0.17", "3"], ["nan", "", "", "4"]]
    assert rows[1][0] == list(ROWS)[1]
