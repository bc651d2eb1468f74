"""The campaigns themselves, with few inputs; `python tests/fuzz/campaign.py` tries thousands."""

import json
import random
from pathlib import Path

import pytest
from fuzz import campaign


class Crashing:
    """A target that ends its process, raises, asks for an hour, or refuses."""

    def attempt(self, dice: random.Random) -> None:
        raise KeyError("an error of ours")


@pytest.mark.slow
@pytest.mark.parametrize("kind", campaign.KINDS)
def test_a_few_hostile_inputs_of_each_kind_are_no_fault(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "fuzz.jsonl"
    counts = campaign.campaign(kind, 150, "of the tests", out)
    faults = [line for line in map(json.loads, out.read_text().splitlines()) if line["outcome"] == "fault"]
    assert faults == [] and counts.total() == 150 and counts["refused"] > 10


def test_an_exception_of_ours_is_a_fault_and_a_sentence_none() -> None:
    found = campaign.outcome_of(Crashing(), random.Random(0))
    assert found["outcome"] == "fault" and "KeyError" in found["told"]


def test_a_campaign_goes_on_where_it_stands(tmp_path: Path) -> None:
    """What was tried is not tried again, and a line that a kill cut off is."""
    out = tmp_path / "fuzz.jsonl"
    kept = {"kind": "scripts", "seed": "1", "number": 0, "outcome": "fault"}
    out.write_text(json.dumps(kept) + "\n" + '{"kind": "scripts", "se')
    counts = campaign.campaign("scripts", 3, "1", out)
    assert counts["fault"] == 1 and counts.total() == 3
    assert campaign.campaign("scripts", 3, "1", out) == counts
