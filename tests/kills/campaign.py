"""The campaign of kills: every command is killed where it changes the disk, run again, and must end as if it had not been.

    python tests/kills/campaign.py [COMMAND ...] [--kills N] [--out FILE] [--work FOLDER]

A command is run once to its end, and its calls that change the disk are counted (killing.py).  Then it is killed N times, at
calls spread evenly over them, each time in a new folder, and the same command is run again.  It must go on, end with the
same bytes in every file, and leave no file besides.  Not compared are the logs of TensorBoard, what a checkpoint says of
the time that its training took, and the dates in a zip; `record` may add episodes to those of the first run.  What is done
is kept in FILE, and the same command goes on there.  Prints a table; exit code 1 if there are faults, whose folders stay.
"""

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHORT = 'description = "a short road"\n[road]\nlength_m = 450\n'
SMALL = "--scenario short.toml --camera 16x32 --validation-km 0.1"
COMMANDS = {
    "record": "record out --scenario short.toml --camera 16x32 --episodes 2 --seconds 0.5",
    "train imitation": f"train imitation out {SMALL} --batch 2 --length 4 --segments 2 --frames 32 --expert-frames 256 "
    "--dagger-every 2 --dagger-frames 256 --core rnn",
    "train rl": "train rl out --camera 16x24 --cars 2 --horizon 16 --batch 16 --epochs 1 --steps 96 --validation-km 0.1 "
    "--core rnn",
    "study confusion": "study confusion out --scenario short.toml --cores rnn --seeds 1 --frames 128 --roads 2 --km 0.4 "
    "--json out.json --picture out.png",
    "evaluate": "evaluate ncp --scenario short.toml --km 0.4 --json out.json",
    "compare": "compare ncp lstm --scenario short.toml --roads 2 --seconds 1 --out out.html --json out.json "
    "--picture out.png",
    "watch": "watch ncp --scenario short.toml --seconds 0.5 --video out.mp4 --log out.txt",
    "export": "export ncp --onnx out.onnx --sb3 out.zip",
}
LIMIT_S = 900.0
ENVIRONMENT = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "SDL_VIDEODRIVER": "dummy",
    "PYTHONHASHSEED": "0",
}


def run(command: str, folder: Path, at: int = 0) -> int:
    """Run a command in a folder, killed at a call; its exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "short.toml").write_text(SHORT)
    words = [sys.executable, str(HERE / "killed.py"), str(at), str(folder.with_suffix(".calls")), *command.split()]
    with folder.with_suffix(".said").open("ab") as said:
        done = subprocess.run(
            words, cwd=folder, env={**os.environ, **ENVIRONMENT}, stdout=said, stderr=said, timeout=LIMIT_S, check=False
        )
    return done.returncode


def content_of(path: Path) -> bytes:
    """The bytes of a file that tell the same of two runs."""
    data = path.read_bytes()
    if path.name == "driver.toml":
        return re.sub(rb'(?m)^(seconds = .*|training_sha256 = ".*")$', b"", data)
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return b"".join(name.encode() + archive.read(name) for name in sorted(archive.namelist()))
    return data


def tree_of(folder: Path) -> dict[str, str]:
    """The digest of every file in a folder, by its name; of an empty folder too."""
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if "tensorboard" not in name:
            empty = path.is_dir() and not any(path.iterdir())
            if path.is_file() or empty:
                found[name] = "" if empty else hashlib.sha256(content_of(path)).hexdigest()[:16]
    return found


def judged(name: str, whole: dict[str, str], again: dict[str, str], code: int) -> dict[str, Any]:
    """Whether a command that was killed and run again ended as one that was not."""
    more = sorted(set(again) - set(whole))
    left = [path for path in more if name != "record" or not re.match(r"out/episode-\d{6}-[0-9a-f]{8}/", path)]
    differing = sorted(path for path, digest in whole.items() if again.get(path) != digest)
    return {"code": code, "gone_on": code == 0, "equal": not differing, "differing": differing, "leftovers": left}


def attempt(name: str, at: int, work: Path, whole: dict[str, str]) -> dict[str, Any]:
    """Kill a command at a call, run it again, and judge."""
    folder = work / f"{name.replace(' ', '-')}-{at}"
    shutil.rmtree(folder, ignore_errors=True)
    killed = run(COMMANDS[name], folder, at)
    code = run(COMMANDS[name], folder)
    found = {"command": name, "call": at, "killed": killed < 0, **judged(name, whole, tree_of(folder), code)}
    if found["gone_on"] and found["equal"] and not found["leftovers"]:
        shutil.rmtree(folder)
        for suffix in (".calls", ".said"):
            folder.with_suffix(suffix).unlink(missing_ok=True)
    return found


def calls_to_kill(calls: int, kills: int) -> list[int]:
    """Calls spread evenly, of all calls if there are no more of them."""
    return sorted({1 + round(k * (calls - 1) / max(1, kills - 1)) for k in range(kills)})


def campaign(names: list[str], kills: int, out: Path, work: Path) -> list[dict[str, Any]]:
    """Do what is not done yet, and return all that was found."""
    lines = out.read_text().splitlines() if out.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("}")]  # the last may be a half
    for name in names:
        folder = work / f"{name.replace(' ', '-')}-whole"
        shutil.rmtree(folder, ignore_errors=True)
        if run(COMMANDS[name], folder) != 0:
            sys.exit(f"{name} fails without a kill: {folder.with_suffix('.said').read_text()[-2000:]}")
        whole, calls = tree_of(folder), int(folder.with_suffix(".calls").read_text())
        done = [one["call"] for one in found if one["command"] == name]
        for at in calls_to_kill(calls, kills):
            if at not in done:
                found.append(attempt(name, at, work, whole))
                with out.open("a") as file:
                    file.write(json.dumps({**found[-1], "calls": calls}) + "\n")
                print(f"{name}, call {at} of {calls}: {told(found[-1])}", flush=True)
    return found


def told(one: dict[str, Any]) -> str:
    """What was found, in words."""
    faults = [] if one["gone_on"] else [f"exit code {one['code']}"]
    faults += [f"differing: {', '.join(one['differing'][:3])}"] if one["differing"] else []
    faults += [f"left: {', '.join(one['leftovers'][:3])}"] if one["leftovers"] else []
    return "; ".join(faults) or "as if it had not been killed"


def table_of(found: list[dict[str, Any]]) -> tuple[str, int]:
    """The table of a campaign, and the number of faults."""
    lines = [f"{'command':16} {'tries':>6} {'killed':>7} {'gone on':>8} {'equal':>6} {'leftovers':>10}"]
    for name in COMMANDS:
        if of := [one for one in found if one["command"] == name]:
            killed, gone_on, equal = (sum(one[key] for one in of) for key in ("killed", "gone_on", "equal"))
            left = sum(bool(one["leftovers"]) for one in of)
            lines.append(f"{name:16} {len(of):6} {killed:7} {gone_on:8} {equal:6} {left:10}")
    faults = sum(told(one) != "as if it had not been killed" for one in found)
    return "\n".join([*lines, f"faults: {faults}"]), faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--kills", type=int, default=130, help="of each command; at most one at each call")
    parser.add_argument("--out", type=Path, default=Path("kills.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("kills"))
    given = parser.parse_args()
    unknown = sorted(set(given.commands) - set(COMMANDS))
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(COMMANDS)}")
    table, number = table_of(campaign(given.commands or list(COMMANDS), given.kills, given.out, given.work.resolve()))
    print(table)
    sys.exit(number > 0)
