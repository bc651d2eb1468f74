"""The table of commands: under which verb a command stands, where its settings and its function are, what it is for.

A command is settings and a function.  The settings are a frozen dataclass, the only source of flags and help; the function
takes them and returns nothing.  Both are named by their place, `module:name` in lanekeep, and are imported when the command
is run and not before, so that `lanekeep --help` does not wait for torch.
"""

from pkgutil import resolve_name
from typing import Any, NamedTuple


class Command(NamedTuple):
    """Where the parts of a command are, and what it is for."""

    verb: str  # of VERBS
    settings: str  # module:name of a frozen dataclass
    function: str  # module:name of a function of the settings
    summary: str


def at(place: str) -> Any:
    """Import what is at a place, `module:name` in lanekeep."""
    return resolve_name(f"lanekeep.{place}")


VERBS = {
    "train": "make a driver",
    "watch": "see what it does and what it looks at",
    "compare": "measure drivers side by side",
    "more": "everything else",
}

COMMANDS = {
    "train imitation": Command(
        "train",
        "imitation.settings:TrainImitation",
        "imitation.train:train",
        "train a driver on demonstrations, an expert's or yours",
    ),
    "train rl": Command(
        "train",
        "reinforcement.settings:TrainRL",
        "reinforcement.train:train",
        "train a driver by reward, from nothing or from another",
    ),
    "record": Command(
        "train",
        "record.record:Record",
        "record.record:record",
        "record an expert's drives, or yours, as demonstrations",
    ),
    "watch": Command("watch", "watch.settings:Watch", "watch.watch:watch", "see a driver drive, with its neurons"),
    "saliency": Command(
        "watch", "road_video:Saliency", "road_video:look", "see what a driver looks at on a video of yours"
    ),
    "compare": Command(
        "compare",
        "compare.settings:Compare",
        "compare.compare:compare",
        "measure what two drivers look at, on one page",
    ),
    "evaluate": Command(
        "compare",
        "evaluate.settings:Evaluate",
        "evaluate.evaluate:evaluate",
        "measure how well drivers keep their lane",
    ),
    "export": Command("more", "export:Export", "export:export", "write a driver as ONNX or for stable-baselines3"),
    "gallery": Command(
        "more",
        "gallery.gallery:Gallery",
        "gallery.gallery:gallery",
        "see every scenario, strength and intervention on one page",
    ),
    "study confusion": Command(
        "more",
        "study.confusion.confusion:StudyConfusion",
        "study.confusion.confusion:confusion",
        "plant a coincidence, train on it, untie it: who had shown it?",
    ),
    "warm-up": Command("more", "warm_up:WarmUp", "warm_up:warm_up", "compile everything ahead, once for a machine"),
    "bench env": Command("more", "bench.env:BenchEnv", "bench.env:bench_env", "how fast the environment is"),
    "bench cores": Command(
        "more", "bench.cores:BenchCores", "bench.cores:bench_cores", "how fast every core is, next to ncps"
    ),
    "bench rl": Command(
        "more", "bench.rl:BenchRL", "bench.rl:bench_rl", "how fast reinforcement learning is, next to the stock policy"
    ),
    "bench saliency": Command(
        "more", "bench.saliency:BenchSaliency", "bench.saliency:bench_saliency", "what looking costs while driving"
    ),
    "bench watch": Command(
        "more", "bench.watch:BenchWatch", "bench.watch:bench_watch", "how many pictures a second watching takes"
    ),
    "bench train": Command("more", "bench.train:BenchTrain", "bench.train:bench_train", "how fast a training step is"),
}
