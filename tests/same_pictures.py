"""Guard of a rewrite: whether two commits draw the same pictures and drive the same cars, byte for byte.

    python tests/same_pictures.py BASE [COMMIT]

draws, with each of the two commits (the second is the working tree unless named), all 16 scenarios from several roads, under
five cameras, with every element removed, every strength at 0.35 and 1, with the other interventions, and mirrored; hashes
every image, its elements, contributors (as 64 bits) and depth, and everything that `step` returns; and compares the hashes.
Exit code 0 if all are equal, 1 if not.  Hashes of two machines may differ, whose sine and exp round otherwise.
"""

import copy
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

PARTS = ("drive", "cameras", "mirror", "removal", "strength", "intervention", "by-products")
SEEDS, STEPS = (0, 11, 10_004), 70  # 210 steps in each scenario
MIRRORED = {  # what changes sign in a mirrored world, by a field that only this table has
    "lateral_speed": ("y", "yaw", "lateral_speed", "yaw_rate", "wheel_angle", "lateral_acceleration_mps2"),
    "tangent_y": ("y", "heading", "curvature", "tangent_y"),
    "sun_y": ("sun_y", "mirror", "yaw_error_deg", "roll_error_deg"),
    "twist": ("y", "twist"),
}
STRENGTHS = (
    "worn", "missing", "seams", "ghost_lines", "roadworks", "snow", "wet", "puddles", "leaves", "fog", "rain", "snowfall",
    "night", "drops", "dirt", "glare", "motion_blur", "jpeg", "sway",
)  # fmt: skip


def tables(value: Any) -> Iterator[np.ndarray]:
    """Every table of records in a snapshot, whatever it is made of."""
    if isinstance(value, np.ndarray) and value.dtype.names:
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from tables(part)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from tables(getattr(value, name))


def mirrored(snapshot: Any) -> Any:
    """The snapshot of one car with left and right exchanged."""
    other = copy.deepcopy(snapshot)
    found = set()
    for table in tables(other):
        for telling, names in MIRRORED.items():
            if telling in table.dtype.names and not (telling == "tangent_y" and "sun_y" in table.dtype.names):
                found.add(telling)
                for name in names:
                    table[name] *= -1.0
    assert found == set(MIRRORED), found
    return other


def add(digest: Any, value: Any) -> None:
    """Hash a value, by its names and numbers."""
    if isinstance(value, dict):
        for key in sorted(value):
            if key in ("road_seed", "scenario"):  # a word, numbers of Python or of numpy
                digest.update(repr(sorted(set(map(str, np.ravel(value[key]))))).encode())
            elif not key.startswith("_"):  # masks came later
                digest.update(str(key).encode())
                add(digest, value[key])
    elif isinstance(value, np.ndarray) and value.dtype == object:
        digest.update(repr(value.tolist()).encode())
    else:
        digest.update(np.ascontiguousarray(value).tobytes() if not isinstance(value, str) else value.encode())


def hashes() -> dict[str, str]:
    """Hash of each scenario, by what was done with it."""
    import lanekeep_envs as world

    found: dict[str, str] = {}
    for name in world.scenario_names():
        parts = {what: hashlib.sha256() for what in PARTS}
        actions = np.random.default_rng(5)
        env = world.LaneKeepingVectorEnv(1, world.load_scenario(name), "48x160", autoreset_mode="Disabled")
        env.rest_when_finished = True
        for seed in SEEDS:
            drive(env, seed, actions, parts["drive"])
            see(env, env.snapshot(), parts, often=seed == SEEDS[0])
        four = world.LaneKeepingVectorEnv(4, world.load_scenario(name), "48x160", autoreset_mode="SameStep")
        parts["drive"].update(four.reset(seed=7)[0].tobytes())
        for _ in range(20):
            seen, *_ = four.step(actions.uniform(-1.0, 1.0, (4, 1)))
            parts["drive"].update(seen.tobytes())
        found |= {f"{name} {what}": digest.hexdigest()[:16] for what, digest in parts.items()}
    return found


def drive(env: Any, seed: int, actions: np.random.Generator, digest: Any) -> None:
    """Begin an episode and drive on; hash all that is told, and the car's record at the end."""
    begun, info = env.reset(seed=[seed], options={"start_m": [float(40 + seed % 500)]})
    add(digest, info)
    digest.update(begun.tobytes())
    for _ in range(STEPS):
        seen, *told = env.step(actions.uniform(-0.3, 0.3, (1, 1)))
        digest.update(seen.tobytes())
        for value in told:
            add(digest, value)
    for table in tables(env.snapshot()):
        if "lateral_speed" in table.dtype.names:
            digest.update(table.tobytes())


def see(env: Any, snapshot: Any, parts: dict[str, Any], often: bool) -> None:
    """Hash an instant under every camera and intervention; `often` also under what takes long."""
    import lanekeep_envs as world

    def look(what: str, instant: Any, changes: Any, camera: Any = None) -> None:
        frame = env.view(instant, changes, camera=camera)
        parts[what].update(frame.image.tobytes())
        for by in (frame.elements, frame.contributors.astype(np.uint64), frame.depth_m):
            parts["by-products"].update(np.ascontiguousarray(by).tobytes())

    wide = world.Camera(height_px=60, width_px=115, horizontal_fov_deg=110.0, mount_height_m=2.4, pitch_deg=14.0)
    for camera in ("48x160", "66x200", "24x80", "78x200", wide):
        look("cameras", snapshot, (), camera)
        look("mirror", mirrored(snapshot), (), camera)
    for element in world.REMOVABLE:
        if element < 32:
            look("removal", snapshot, [world.Remove(element)])
            if often:
                look("mirror", mirrored(snapshot), [world.Remove(element)])
    for strength, share in ((strength, share) for strength in STRENGTHS for share in (0.35, 1.0) if often):
        look("strength", snapshot, [world.SetStrength(strength, share)])
    for changes in (
        [world.KeepOnly((world.Element.LEFT_MARKING, world.Element.TREES))],
        [world.Shift(world.Element.CENTRE_MARKING, 0.4), world.Shift(world.Element.TREES, -1.0)],
        [
            world.Recolour(world.Element.ROAD, (90.0, 60.0, 60.0)),
            world.Recolour(world.Element.RIGHT_MARKING, (9, 99, 200)),
        ],
        [world.Contrast(world.Element.TREES, 2.0), world.Contrast(world.Element.TERRAIN, 0.5)],
        [world.Add("conifer", 25.0, 6.0), world.Add("post", 12.0, -4.0), world.Noise(9.0)],
        [world.SetStrength(strength, 0.7) for strength in STRENGTHS],
    ):
        look("intervention", snapshot, changes)


def run(tree: Path) -> dict[str, str]:
    """The hashes of a checkout, in a process of its own."""
    rooms = [str(tree), str(tree / "envs"), str(tree / "policies")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(rooms)}
    if "NUMBA_CACHE_DIR" not in environment:
        environment["NUMBA_CACHE_DIR"] = str(tree / ".numba")
    done = subprocess.run(
        [sys.executable, "-P", __file__, "--hashes"], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def checkout(commit: str, into: Path) -> Path:
    """The files of a commit, in a folder."""
    tree = into / commit.replace("/", "-")
    tree.mkdir()
    archive = subprocess.run(["git", "archive", commit, "envs", "policies"], check=True, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
    return tree


def main(base: str, commit: str | None = None) -> int:
    """Compare two commits, or one with the working tree."""
    with tempfile.TemporaryDirectory() as folder:
        before = run(checkout(base, Path(folder)))
        after = run(checkout(commit, Path(folder)) if commit else Path(__file__).parents[1])
    scenarios = list(dict.fromkeys(key.split()[0] for key in before))
    differing = [key for key in before if before[key] != after.get(key)]
    for scenario in scenarios:
        wrong = [key.split()[1] for key in differing if key.split()[0] == scenario]
        print(f"{scenario:14} {'differs: ' + ', '.join(wrong) if wrong else 'the same'}")
    print(f"{len(before) - len(differing)} of {len(before)} hashes are the same")
    return 1 if differing else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--hashes"]:
        print(json.dumps(hashes()))
    elif len(sys.argv) in (2, 3) and not sys.argv[1].startswith("-"):
        sys.exit(main(*sys.argv[1:]))
    else:
        sys.exit(__doc__)
