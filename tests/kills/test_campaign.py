"""Kills at a few calls of the two trainings and the recorder; campaign.py does it at hundreds, for every command."""

from pathlib import Path

import pytest
from kills.campaign import COMMANDS, calls_to_kill, campaign, judged, table_of


@pytest.mark.slow
@pytest.mark.parametrize("name", ["record", "train imitation", "train rl", "evaluate"])
def test_a_command_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(name: str, tmp_path: Path) -> None:
    found = campaign([name], 4, tmp_path / "kills.jsonl", tmp_path / "work")
    table, faults = table_of(found)
    assert faults == 0 and len(found) == 4 and all(one["killed"] for one in found), table
    assert campaign([name], 4, tmp_path / "kills.jsonl", tmp_path / "work") == found  # nothing is done twice


def test_what_differs_and_what_is_left_is_found() -> None:
    whole = {"out/driver.toml": "a", "out/weights-0.safetensors": "b"}
    assert judged("train rl", whole, dict(whole), 0)["equal"]
    found = judged("train rl", whole, {"out/driver.toml": "c", "out/.lock": ""}, 2)
    assert not found["gone_on"] and found["differing"] == list(whole) and found["leftovers"] == ["out/.lock"]
    assert table_of([{"command": "train rl", "killed": True, **found}])[1] == 1
    one_more = {**whole, "out/episode-000002-0123abcd/frames.npy": "d"}
    assert judged("record", whole, one_more, 0)["leftovers"] == []
    assert judged("train rl", whole, one_more, 0)["leftovers"] == ["out/episode-000002-0123abcd/frames.npy"]


def test_kills_are_spread_from_the_first_call_to_the_last() -> None:
    assert calls_to_kill(38, 5) == [1, 10, 19, 29, 38] and calls_to_kill(3, 60) == [1, 2, 3]
    assert len(COMMANDS) == 8
