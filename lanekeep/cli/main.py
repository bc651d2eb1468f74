"""The command line: finds the command, reads its flags, runs it, and tells every failure in one sentence.

A command is a frozen dataclass with `run() -> int`, the exit code; its module is imported when it is run and not
before, so that `lanekeep --help` does not wait for torch.

Exit codes: 0 done, 2 what was asked for cannot be done, 130 interrupted.
"""

import dis
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import lanekeep

ROOMS = ("lanekeep", "lanekeep_envs", "lanekeep_policies")


class Command(NamedTuple):
    """Where a command is defined, and what it is for."""

    module: str
    settings: str  # a frozen dataclass in the module
    summary: str


COMMANDS = {
    "train imitation": Command(
        "lanekeep.imitation", "TrainImitation", "train a driver on demonstrations, an expert's or yours"
    ),
    "train rl": Command(
        "lanekeep.reinforcement.settings", "TrainRL", "train a driver by reward, from nothing or from another"
    ),
    "evaluate": Command("lanekeep.evaluate", "Evaluate", "measure how well drivers keep their lane"),
    "watch": Command("lanekeep.watch.watch", "Watch", "see a driver drive, with its neurons"),
    "compare": Command("lanekeep.compare.compare", "Compare", "measure what two drivers look at, on one page"),
    "saliency": Command("lanekeep.road_video", "Saliency", "see what a driver looks at on a video of yours"),
    "record": Command("lanekeep.record.record", "Record", "record an expert's drives, or yours, as demonstrations"),
    "export": Command("lanekeep.export", "Export", "write a driver as ONNX or for stable-baselines3"),
    "gallery": Command("lanekeep.gallery", "Gallery", "see every scenario, strength and intervention on one page"),
    "study confusion": Command(
        "lanekeep.study.confusion.confusion",
        "StudyConfusion",
        "plant a coincidence, train on it, untie it: who had shown it?",
    ),
    "bench env": Command("lanekeep.bench.env", "BenchEnv", "how fast the environment is"),
    "bench cores": Command("lanekeep.bench.cores", "BenchCores", "how fast every core is, next to ncps"),
    "bench rl": Command("lanekeep.bench.rl", "BenchRL", "how fast reinforcement learning is, next to the stock policy"),
    "bench saliency": Command("lanekeep.bench.saliency", "BenchSaliency", "what looking costs while driving"),
    "bench watch": Command("lanekeep.bench.watch", "BenchWatch", "how many pictures a second watching takes"),
    "bench train": Command("lanekeep.bench.train", "BenchTrain", "how fast a training step is"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lanekeep` with these arguments and return the exit code."""
    try:
        exit_code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _say("interrupted", exit_code=130)
    except BrokenPipeError:  # `lanekeep --help | head -1`; nothing may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        sentence = _as_sentence(error)
        if sentence is None:
            raise
        return _say(sentence)
    return exit_code


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(_help(""))
    elif argv[0] == "--version":
        print(f"lanekeep {importlib.metadata.version('lanekeep')}")
    elif argv[0] in COMMANDS:
        return _run_command(argv[0], argv[1:])
    elif " ".join(argv[:2]) in COMMANDS:
        return _run_command(" ".join(argv[:2]), argv[2:])
    elif argv[0] in _next_words("") and argv[1:2] in (["-h"], ["--help"]):
        print(_help(argv[0]))
    else:
        return _say(_about_unknown(argv))
    return 0


def _run_command(name: str, argv: list[str]) -> int:
    from lanekeep.cli.flags import parse
    from lanekeep.cli.recipe import with_recipe

    command = COMMANDS[name]
    settings = getattr(importlib.import_module(command.module), command.settings)
    exit_code: int = parse(name, settings, with_recipe(settings, argv)).run()
    return exit_code


def _help(group: str) -> str:
    """The commands that begin with a word, or all of them."""
    names = [name for name in COMMANDS if name.split()[0] == group or not group]
    width = max(map(len, names))
    return "\n".join(
        [
            f"usage: lanekeep {group or 'COMMAND'} ...",
            "",
            *([] if group else [lanekeep.__doc__ or "", ""]),
            *(f"  {name:{width}}  {COMMANDS[name].summary}" for name in names),
            "",
            "lanekeep COMMAND --help lists the flags of a command, lanekeep --version tells the version",
        ]
    )


def _next_words(group: str) -> list[str]:
    """The first words of all commands, or the second words of those that begin with one."""
    split = [name.split() for name in COMMANDS]
    return list(dict.fromkeys(words[bool(group)] for words in split if not group or words[0] == group))


def _about_unknown(argv: list[str]) -> str:
    from lanekeep.errors import did_you_mean

    group = argv[0] if argv[0] in _next_words("") else ""
    words = _next_words(group)
    if group and (len(argv) < 2 or argv[1].startswith("-")):
        return f"{group} is followed by one of: {', '.join(words)}"
    unknown = argv[bool(group)]
    way_out = did_you_mean(unknown, words, "lanekeep --help lists the commands")
    return f"there is no command {f'{group} {unknown}'.strip()!r}; {way_out}"


def _as_sentence(error: Exception) -> str | None:
    """What to tell the user; None if the error is a mistake of ours, whose traceback is worth more."""
    if type(error).__module__.partition(".")[0] in ROOMS:
        return str(error)
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return reason if error.filename is None else f"{error.filename}: {reason}"
    return str(error) if isinstance(error, ValueError) and _is_raised_by_us(error) else None


def _is_raised_by_us(error: Exception) -> bool:
    """Whether a `raise` in one of our own files made it, and not numpy, torch or int() in the midst of a bug."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None or step.tb_frame.f_globals["__name__"].partition(".")[0] not in ROOMS:
        return False
    return step.tb_frame.f_code.co_code[step.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _say(sentence: str, exit_code: int = 2) -> int:
    print(f"lanekeep: {' '.join(sentence.split())}", file=sys.stderr)
    return exit_code
