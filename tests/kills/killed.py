"""Run a command of lanekeep that kills itself at its k-th call that changes the disk.

python tests/kills/killed.py K FILE COMMAND...      K 0: never, and the number of calls goes to FILE
"""

import functools
import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

TINY = {"camera": "24x80", "length": 8, "segments": 1, "expert_frames": 640, "dagger_frames": 32, "validation_km": 0.1}


def make_the_study_small() -> None:
    """Let the study of confusion train on small frames, and the expert drive for those who have learned nothing."""
    from lanekeep.evaluate.evaluate import drive
    from lanekeep.imitation.settings import TrainImitation
    from lanekeep.study.confusion import outcomes, training

    training.TrainImitation = functools.partial(TrainImitation, **TINY)  # type: ignore[misc,assignment]
    outcomes.drive = lambda driver, *rest: drive(None, *rest)
    importlib.import_module("lanekeep.imitation.train").validate = lambda *_: (0.0, 0.0)


if __name__ == "__main__":
    from kills.killing import kill_at

    from lanekeep.cli.main import main

    if sys.argv[3] == "study":
        make_the_study_small()
    count = kill_at(int(sys.argv[1]))
    code = main(sys.argv[3:])
    if count.at == 0:
        count.at = -1
        Path(sys.argv[2]).write_text(str(count.calls))
    sys.exit(code)
