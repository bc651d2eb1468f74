"""`lanekeep export`: a driver as a file for others.

    --onnx   frame uint8 [1, H, W, 3] and state [1, S] -> curvature [1, 1] (in units of curvature_limit_per_m) and
             next_state [1, S], for a small computer in a car: no torch.  Checked in the runtime against torch, step after
             step, each with its own memory.
    --sb3    a zip for `RecurrentPPO.load`, for those who use stable-baselines3.  It is made of our numbers; theirs are
             pickles, and none is ever read here.

What an ONNX file must say beside the graph is in its metadata: core, dt_s, curvature_limit_per_m, and the first state.
"""

import contextlib
import io
import json
import logging
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from sb3_contrib import RecurrentPPO
from torch import Tensor, nn

from lanekeep.driving.drivers import camera_of, open_driver
from lanekeep.driving.threads import one_thread
from lanekeep.errors import UserError
from lanekeep.reinforcement.gymnasium_task import made
from lanekeep.reinforcement.policy import DriverPolicy
from lanekeep.settings import Output, Positional, check_outputs
from lanekeep_envs import LaneKeepingVectorEnv
from lanekeep_files.writing import write_whole
from lanekeep_policies import Driver

STEPS = 200  # chained, in which the runtime must not drift from torch
TOLERANCE = 1e-3  # of the action, which is within -1..1


@dataclass(frozen=True)
class Export:
    """Write a driver to a file for others: ONNX, or a zip of stable-baselines3."""

    driver: Positional[str]
    """A shipped driver (ncp, lstm) or a checkpoint folder."""
    onnx: Annotated[Path | None, Output((".onnx",))] = None
    """Write ONNX here, and check it against torch; needs lanekeep[onnx]."""
    sb3: Annotated[Path | None, Output((".zip",))] = None
    """Write a zip for sb3-contrib's `RecurrentPPO.load` here."""

    def __post_init__(self) -> None:
        if self.onnx is None and self.sb3 is None:
            raise UserError("export where to? --onnx FILE, --sb3 FILE.zip, or both")
        check_outputs(self)


def export(settings: Export) -> None:
    """Write the driver in every format asked for, and check it."""
    driver = open_driver(settings.driver).eval()
    if settings.onnx is not None:
        to_onnx(driver, settings.onnx)
    if settings.sb3 is not None:
        to_sb3(driver, settings.sb3)


class Step(nn.Module):
    """One control step as a graph: nothing is checked, the time that passes is the driver's."""

    def __init__(self, driver: Driver) -> None:
        super().__init__()
        self.driver = driver

    def forward(self, frame: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        driver, core = self.driver, self.driver.core
        features = driver.head(frame)[:, None]
        outputs, state = core.run(features, state, driver.spec.dt_s / core.time_unit_s)
        return driver.readout(outputs[:, 0]), state


def to_onnx(driver: Driver, file: Path) -> None:
    """Write the driver, and refuse to if the runtime does not do as torch does."""
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401, torch's exporter is written in it
    except ImportError as error:
        raise UserError(f"{error.name} is missing: pip install 'lanekeep[onnx]'") from None
    model = onnx.load_from_string(graph_of(driver))
    spec = driver.spec
    told = {
        "core": spec.core,
        "env_id": spec.env_id,
        "dt_s": f"{spec.dt_s:g}",
        "curvature_limit_per_m": f"{spec.curvature_limit_per_m:g}",
        "initial_state": json.dumps(driver.initial_state(1)[0].tolist()),
    }
    onnx.helper.set_model_props(model, told)
    data = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    off, theirs_ms, ours_ms = compare(driver, session, what_it_sees(driver))
    if not off <= TOLERANCE:
        raise UserError(f"{file} was not written: in {STEPS} steps ONNX went {off:.1g} away from torch")
    write_whole(file, data)
    opset = next(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx"))
    print(
        f"{file}: ONNX opset {opset}, {len(data) / 1000.0:.0f} kB; {STEPS} chained steps differ from torch by at most "
        f"{off:.1g}; a step takes {theirs_ms:.2f} ms (torch {ours_ms:.2f} ms), one thread"
    )


def graph_of(driver: Driver) -> bytes:
    """The ONNX graph of a control step; what torch's exporter tells its developers is not passed on."""
    names = ["action" if driver.spec.env_id else "curvature", "next_state"]
    seen, state = torch.from_numpy(what_it_sees(driver, 1)[0]), driver.initial_state(1).detach()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        quiet, before = logging.getLogger("torch.onnx"), logging.getLogger("torch.onnx").level
        quiet.setLevel(logging.ERROR)
        path = Path(folder) / "driver.onnx"
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                torch.onnx.export(
                    Step(driver), (seen, state), path, dynamo=True, external_data=False,
                    input_names=["frame", "state"], output_names=names,
                )  # fmt: skip
        finally:
            quiet.setLevel(before)
        return path.read_bytes()


def what_it_sees(driver: Driver, steps: int = STEPS) -> NDArray[Any]:
    """Observations [T, 1, ...] that are like its own: of a drive straight on, or noise for a driver of another world."""
    spec = driver.spec
    if spec.env_id:
        noise = np.random.default_rng(0)
        size = (steps, 1, spec.numbers) if spec.numbers else (steps, 1, *driver.frame_size, 3)
        return noise.standard_normal(size, np.float32) if spec.numbers else noise.integers(0, 256, size, np.uint8)
    camera = camera_of(driver)
    env = LaneKeepingVectorEnv(1, camera=camera or "8x8", observation="state" if camera is None else "camera")
    if spec.numbers not in (0, *env.single_observation_space.shape):
        raise UserError(f"this driver is told {spec.numbers} numbers, and does not say in which world")
    seen = [env.reset(seed=0)[0]]
    while len(seen) < steps:
        seen.append(env.step(np.zeros((1, 1)))[0])
    return np.stack(seen)


def compare(driver: Driver, session: Any, seen: NDArray[Any]) -> tuple[float, float, float]:
    """Largest difference of actions over chained steps and of the last states; median ms of a step there and here.

    A NaN anywhere makes the difference NaN.
    """
    state, step = driver.initial_state(1), driver.stepper()
    their_state = state.detach().numpy()
    off, theirs, ours = list[float](), list[float](), list[float]()
    names = {given.name for given in session.get_inputs()}  # a driver without a memory has no state to give
    with one_thread():
        for frame in seen:
            begin = time.perf_counter()
            action, state = step(frame, state)
            middle = time.perf_counter()
            given = {"frame": frame, "state": their_state}
            their_action, their_state = session.run(None, {name: given[name] for name in names})
            theirs.append(time.perf_counter() - middle)
            ours.append(middle - begin)
            off.append(float(np.abs(action - their_action).max()))
    off.append(float(np.abs(state.numpy() - their_state).max(initial=0.0)))
    return float(np.max(off)), 1000.0 * float(np.median(theirs)), 1000.0 * float(np.median(ours))


def to_sb3(driver: Driver, file: Path) -> None:
    """Write a model that `RecurrentPPO.load` reads where lanekeep is installed."""
    spec = driver.spec
    kwargs = {"spec": spec, "log_std_init": -2.0, "critic_shapes_head": False}
    model = RecurrentPPO(DriverPolicy, None, ent_coef=1.0, policy_kwargs=kwargs, device="cpu", _init_setup_model=False)  # type: ignore[arg-type]
    if not spec.numbers:
        model.observation_space = Box(0, 255, (3, *driver.frame_size), np.uint8)
    elif spec.env_id:
        model.observation_space = made(spec.env_id).observation_space
    else:
        model.observation_space = LaneKeepingVectorEnv(observation="state").single_observation_space
    model.action_space, model.n_envs = Box(-1.0, 1.0, (spec.actions,)), 1
    model._setup_model()
    assert isinstance(model.policy, DriverPolicy)
    model.policy.driver().load_state_dict(driver.state_dict())
    packed = io.BytesIO()
    model.save(packed)
    write_whole(file, packed.getvalue())
    print(f"{file}: RecurrentPPO.load({str(file)!r}) drives and goes on learning; its critic has seen nothing yet")
