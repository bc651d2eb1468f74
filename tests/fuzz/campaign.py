"""Hostile files by the thousand: damaged scenarios, instants, checkpoints, data sets, recipes, scripts and videos.

    python tests/fuzz/campaign.py [KIND ...] [--tries N] [--seed S] [--out FILE]

Each input follows from seed, kind and number.  It is tried in a process of its kind, which a crash ends and the next
input starts again.  A refusal is one sentence; anything else that is raised, a signal, a number that is not finite, more
than 2 s or 500 MB for a file that is only read, is a fault.  What is done is kept in FILE, and the same command goes on
there.  Prints a table of tries, refusals, acceptances and faults; exit code 1 if there are faults.
"""

import argparse
import json
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

KINDS = {
    "scenarios": "fuzz.worlds:Scenarios",
    "instants": "fuzz.worlds:Instants",
    "checkpoints": "fuzz.files:Checkpoints",
    "datasets": "fuzz.files:Datasets",
    "recipes": "fuzz.files:Recipes",
    "scripts": "fuzz.files:Scripts",
    "videos": "fuzz.files:Videos",
}
DRIVEN = ("scenarios", "instants")  # these are driven if they are accepted, which may take longer
SECONDS, MEGABYTES, PATIENCE_S = 2.0, 500.0, 90.0
REFUSALS = ("UserError", "ScenarioError", "CheckpointError", "DemonstrationError", "FileError")


def outcome_of(target: Any, dice: random.Random) -> dict[str, Any]:
    """What becomes of one input."""
    from lanekeep.terminal import one_line

    before, began = peak_mb(), time.process_time()
    try:
        target.attempt(dice)
        found: dict[str, Any] = {"outcome": "accepted"}
    except Exception as error:
        found = {"outcome": "refused", "told": one_line(str(error))}
        if not is_a_sentence(error):
            found = {"outcome": "fault", "told": "".join(traceback.format_exception(error))[-3000:]}
    seconds, more_mb = time.process_time() - began, peak_mb() - before
    return {**found, "seconds": round(seconds, 3), "mb": round(more_mb, 1)}


def is_a_sentence(error: Exception) -> bool:
    """Whether an exception is a refusal that a user can read."""
    ours = type(error).__name__ in REFUSALS
    by_the_world = type(error) is ValueError and "lanekeep_envs" in str(last_file(error))
    return (ours or by_the_world) and len(str(error)) > 0


def last_file(error: Exception) -> str:
    """The file in which an exception was raised."""
    return traceback.extract_tb(error.__traceback__)[-1].filename


def peak_mb() -> float:
    """The most memory that this process and its children have had."""
    own, theirs = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(own, theirs) / 1024.0


def work(kind: str, seed: str) -> None:
    """Try the inputs whose numbers come in, a line each; tell what becomes of each in a line."""
    import importlib

    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    module, _, name = KINDS[kind].partition(":")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        target = getattr(importlib.import_module(module), name)(Path(folder))
        print("{}", file=answers)
        for line in sys.stdin:
            found = outcome_of(target, random.Random(f"{seed}-{kind}-{int(line)}"))
            only_read = kind not in DRIVEN or found["outcome"] == "refused"
            if only_read and (found["seconds"] > SECONDS or found["mb"] > MEGABYTES):
                found["outcome"] = "fault"
            print(json.dumps(found), file=answers)


class Worker:
    """The process in which inputs of a kind are tried."""

    def __init__(self, kind: str, seed: str) -> None:
        command = [sys.executable, str(Path(__file__).resolve()), "--work", kind, "--seed", seed]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._read(600.0)  # until it is ready

    def attempt(self, number: int) -> dict[str, Any]:
        """What becomes of an input; a fault if the process ends or takes too long."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        line = self._read(PATIENCE_S)
        if line:
            return dict(json.loads(line))
        ended = self._process.poll() is not None or self._process.wait(10) is not None if line == "" else False
        how = f"the process ended with {self._process.returncode}" if ended else f"no answer for {PATIENCE_S:g} s"
        return {"outcome": "fault", "told": how, "seconds": 0.0, "mb": 0.0, "dead": True}

    def _read(self, patience_s: float) -> str | None:
        """The next line; an empty one where the process has ended, None where it says nothing."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], patience_s)
        return self._process.stdout.readline() if ready else None

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def campaign(kind: str, tries: int, seed: str, out: Path) -> Counter[str]:
    """Try a kind, from where `out` stands on; return how often each outcome was."""
    lines = out.read_text().splitlines() if out.exists() else []
    kept = [json.loads(line) for line in lines if line.endswith("}")]
    done = {found["number"]: found for found in kept if (found["kind"], found["seed"]) == (kind, seed)}
    worker = None
    with out.open("w") as file:
        file.writelines(f"{json.dumps(found)}\n" for found in kept)
        for number in range(tries):
            if number in done:
                continue
            worker = worker or Worker(kind, seed)
            found = {"kind": kind, "seed": seed, "number": number, **worker.attempt(number)}
            done[number] = found
            file.write(f"{json.dumps(found)}\n")
            file.flush()
            if found.get("dead"):
                worker.end()
                worker = None
    if worker is not None:
        worker.end()
    return Counter(found["outcome"] for number, found in done.items() if number < tries)


def main() -> int:
    """Run the campaigns that are asked for, and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], default=[], metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--tries", type=int, default=5000, help="inputs of each kind")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--out", type=Path, default=Path("fuzz.jsonl"))
    parser.add_argument("--work", choices=KINDS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(asked.work, asked.seed)
        return 0
    print(f"{'kind':12} {'tries':>7} {'refused':>8} {'accepted':>9} {'faults':>7} {'minutes':>8}")
    faults = 0
    for kind in asked.kinds or KINDS:
        began = time.monotonic()
        counts = campaign(kind, asked.tries, asked.seed, asked.out)
        faults += counts["fault"]
        told = f"{kind:12} {counts.total():7} {counts['refused']:8} {counts['accepted']:9} {counts['fault']:7}"
        print(f"{told} {(time.monotonic() - began) / 60.0:8.1f}", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
