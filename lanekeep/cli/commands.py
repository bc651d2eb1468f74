"""The table of commands: under which verb a command stands, where its settings and its function are, what it is for.

A command is settings and a function.  The settings are a frozen dataclass, the only source of flags and help; the function
takes them and returns nothing.  Both are named by their place, `module:name`, and are imported when the command is run
and not before, so that `lanekeep --help` does not wait for torch.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """Where the parts of a command are, and what it is for."""

    verb: str  # of VERBS
    settings: str  # module:name of a frozen dataclass
    function: str  # module:name of a function of the settings
    summary: str


VERBS = {
    "train": "make a driver",
    "watch": "see what it does and what it looks at",
    "compare": "measure drivers side by side",
    "more": "everything else",
}

COMMANDS = {
    "train imitation": Command(
        "train",
        "lanekeep.imitation.settings:TrainImitation",
        "lanekeep.imitation.train:train",
        "train a driver on demonstrations, an expert's or yours",
    ),
    "train rl": Command(
        "train",
        "lanekeep.reinforcement.settings:TrainRL",
        "lanekeep.reinforcement.train:train",
        "train a driver by reward, from nothing or from another",
    ),
    "record": Command(
        "train",
        "lanekeep.record.record:Record",
        "lanekeep.record.record:record",
        "record an expert's drives, or yours, as demonstrations",
    ),
    "watch": Command(
        "watch", "lanekeep.watch.settings:Watch", "lanekeep.watch.watch:watch", "see a driver drive, with its neurons"
    ),
    "saliency": Command(
        "watch",
        "lanekeep.road_video:Saliency",
        "lanekeep.road_video:look",
        "see what a driver looks at on a video of yours",
    ),
    "compare": Command(
        "compare",
        "lanekeep.compare.settings:Compare",
        "lanekeep.compare.compare:compare",
        "measure what two drivers look at, on one page",
    ),
    "evaluate": Command(
        "compare",
        "lanekeep.evaluate.settings:Evaluate",
        "lanekeep.evaluate.evaluate:evaluate",
        "measure how well drivers keep their lane",
    ),
    "export": Command(
        "more", "lanekeep.export:Export", "lanekeep.export:export", "write a driver as ONNX or for stable-baselines3"
    ),
    "gallery": Command(
        "more",
        "lanekeep.gallery.gallery:Gallery",
        "lanekeep.gallery.gallery:gallery",
        "see every scenario, strength and intervention on one page",
    ),
    "study confusion": Command(
        "more",
        "lanekeep.study.confusion.confusion:StudyConfusion",
        "lanekeep.study.confusion.confusion:confusion",
        "plant a coincidence, train on it, untie it: who had shown it?",
    ),
    "bench env": Command(
        "more", "lanekeep.bench.env:BenchEnv", "lanekeep.bench.env:bench_env", "how fast the environment is"
    ),
    "bench cores": Command(
        "more",
        "lanekeep.bench.cores:BenchCores",
        "lanekeep.bench.cores:bench_cores",
        "how fast every core is, next to ncps",
    ),
    "bench rl": Command(
        "more",
        "lanekeep.bench.rl:BenchRL",
        "lanekeep.bench.rl:bench_rl",
        "how fast reinforcement learning is, next to the stock policy",
    ),
    "bench saliency": Command(
        "more",
        "lanekeep.bench.saliency:BenchSaliency",
        "lanekeep.bench.saliency:bench_saliency",
        "what looking costs while driving",
    ),
    "bench watch": Command(
        "more",
        "lanekeep.bench.watch:BenchWatch",
        "lanekeep.bench.watch:bench_watch",
        "how many pictures a second watching takes",
    ),
    "bench train": Command(
        "more", "lanekeep.bench.train:BenchTrain", "lanekeep.bench.train:bench_train", "how fast a training step is"
    ),
}
