"""N cars in one call: `LaneKeepingVectorEnv`.  One car of it is the single environment (lane_keeping.py): one truth.

Car i of `reset(seed=s)` drives the episode that the single environment drives under seed s + i, and goes on with the
episodes that the single one would get from further `reset()` calls: each car owns a generator of episode seeds.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from lanekeep_envs import world
from lanekeep_envs.dynamics.control_step import first_not_finite
from lanekeep_envs.dynamics.vehicle import CONTROL_STEP_S
from lanekeep_envs.elements import Frame
from lanekeep_envs.interventions import Intervention
from lanekeep_envs.plain_spec import PlainSpec
from lanekeep_envs.renderer.camera import Camera
from lanekeep_envs.renderer.renderer import Renderer
from lanekeep_envs.sampling.episode import generator_of
from lanekeep_envs.scenario.loading import load_scenario
from lanekeep_envs.scenario.schema import Scenario
from lanekeep_envs.snapshot import Snapshot, pictures
from lanekeep_envs.world_state import empty_state


class LaneKeepingVectorEnv(PlainSpec, gymnasium.vector.VectorEnv[Any, Any, Any]):
    """N independent `LaneKeeping-v0` cars in one process, stepped and rendered by compiled kernels.

    `autoreset_mode` is gymnasium's: NEXT_STEP (default), SAME_STEP (`info["final_obs"]`, `info["final_info"]`) or
    DISABLED (reset by `options={"reset_mask": mask}`).  `reset` also takes `options={"start_m": [N]}`: begin this far along
    the road, in the middle of the lane; None for a car that starts as usual.  Observations, rewards and infos have the
    form that gymnasium's SyncVectorEnv gives them: arrays [N], and beside each key a mask `_key` of the cars it tells of.
    """

    rest_when_finished = False  # DISABLED: whether a finished car stands still while others drive, or no step is taken

    def __init__(
        self,
        num_envs: int = 1,
        scenario: str | Scenario | dict[str, Any] = "country",
        camera: str | Camera | dict[str, Any] = "48x160",
        observation: str = "camera",
        render_mode: str | None = None,
        acceleration: bool = False,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        difficulty: float = 1.0,
    ) -> None:
        if not isinstance(num_envs, (int, np.integer)) or num_envs < 1:
            raise ValueError(f"num_envs must be a whole number, at least 1, not {num_envs!r}")
        if observation not in ("camera", "state"):
            raise ValueError(f"observation is 'camera' or 'state', not {observation!r}")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode of the vector environment is None or 'rgb_array', not {render_mode!r}")
        self.num_envs, self.render_mode, self.observation_kind = num_envs, render_mode, observation
        self.scenario, self.camera = load_scenario(scenario).at(difficulty), Camera.parse(camera)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": round(1 / CONTROL_STEP_S),
            "autoreset_mode": self.autoreset_mode,
        }
        self._action_numbers = 2 if acceleration else 1
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (self._action_numbers,), np.float32)
        if observation == "camera":
            size = (self.camera.height_px, self.camera.width_px, 3)
            self.single_observation_space: Any = gymnasium.spaces.Box(0, 255, size, np.uint8)
        else:
            self.single_observation_space = gymnasium.spaces.Box(-1.0, 1.0, (len(world.STATE_NAMES),), np.float32)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, num_envs)
        self._state = empty_state(self.scenario, num_envs)
        self._road_seeds = np.zeros(num_envs, np.object_)  # any integer is a seed, also one beyond 64 bits
        self._generators: list[np.random.Generator] = []
        self._seen = np.empty(0, np.uint8)  # the last frames, kept where a reset may be of some cars only
        self._film = self._empty_film() if observation == "camera" else None
        self._renderers: dict[Camera, Renderer] = {}
        self._renderer = self._renderer_of(self.camera)

    def _empty_film(self) -> NDArray[np.uint8] | None:
        """Return room [N, K, H, W, 3] for frames that the scenario may still show; None if each is shown at once, once."""
        table, camera = self.scenario.disturbance, self.camera
        latest = table.late_frames[1]
        if latest == 0 and table.dropped_frames[1] == 0.0:
            return None
        return np.zeros((self.num_envs, latest + 2, camera.height_px, camera.width_px, 3), np.uint8)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episodes: of all cars, or of those in `options["reset_mask"]`; any integer is a seed."""
        seeds = [int(seed) + i for i in range(self.num_envs)] if isinstance(seed, (int, np.integer)) else seed
        self._check_seeds(seeds)
        mask, starts = self._checked_options(options or {})
        if not self._generators:
            entropy = np.random.SeedSequence().generate_state(self.num_envs)
            self._generators = [np.random.default_rng(int(e)) for e in entropy]
            mask = np.ones(self.num_envs, np.bool_)
        for i in np.flatnonzero(mask):
            given = None if seeds is None else seeds[int(i)]
            if given is not None:
                self._generators[i] = generator_of(int(given))
            self._begin(int(i), given, None if starts is None or starts[i] is None else float(starts[i]))
        return self._observe(mask), self._infos(mask)

    def _checked_options(self, options: dict[str, Any]) -> tuple[NDArray[np.bool_], Any]:
        """Return which cars begin anew [N], and where [N] or None; ValueError for an option that is none."""
        if unknown := set(options) - {"reset_mask", "start_m"}:
            raise ValueError(f"reset takes the options reset_mask and start_m, not {', '.join(map(repr, unknown))}")
        mask = np.asarray(options.get("reset_mask", np.ones(self.num_envs, np.bool_)))
        if mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            raise ValueError(f"reset_mask is {self.num_envs} booleans, not {mask.dtype} {list(mask.shape)}")
        starts = options.get("start_m")
        if starts is not None and np.asarray(starts, np.object_).shape != (self.num_envs,):
            raise ValueError(f"start_m is one number or None for each of {self.num_envs} car(s), not {starts}")
        last = self._state.roads.shape[1] - 2  # a start beyond the table would read memory that is no road
        for start in starts if starts is not None else ():
            if start is not None and not (isinstance(start, (int, float, np.number)) and 0.0 <= start <= last):
                raise ValueError(f"start_m must be 0 to {last} on this road, not {start!r}")
        return mask, starts

    def _check_seeds(self, seeds: Any) -> None:
        if seeds is None:
            return
        if not isinstance(seeds, (list, tuple, np.ndarray)) or len(seeds) != self.num_envs:
            raise ValueError(f"{self.num_envs} car(s) take {self.num_envs} seed(s), or one whole number, not {seeds!r}")
        for seed in seeds:
            if seed is not None and not isinstance(seed, (int, np.integer)):
                raise ValueError(f"a seed is a whole number or None, not {seed!r}")

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Drive all cars for 1/20 s; a NaN among the actions is refused and nothing moves."""
        actions, resting = self._checked(actions, (self.num_envs, self._action_numbers)), self._state.resting
        fresh = resting & (self.autoreset_mode is AutoresetMode.NEXT_STEP)
        for i in np.flatnonzero(fresh):
            self._begin(int(i))
        resting |= fresh  # the step of a reset moves no car
        world.step(self._state, actions)
        rewards, terminated, truncated = (self._state.cars[name].copy() for name in world.OUTCOME_FIELDS)
        rewards[fresh], terminated[fresh], truncated[fresh] = 0.0, False, False
        np.logical_or(terminated, truncated, out=resting)
        ends = self.autoreset_mode is AutoresetMode.SAME_STEP and resting.any()
        infos = self._reset_finished(self._infos(resting)) if ends else self._infos()
        return self._observe(), rewards, terminated, truncated, infos

    def step_only_car(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Drive the only car, N = 1, for 1/20 s without a reset; return plain numbers, as the single environment does."""
        world.step(self._state, self._checked(action, (self._action_numbers,))[None])
        reward, terminated, truncated = (self._state.cars[0][name].item() for name in world.OUTCOME_FIELDS)
        self._state.resting[0] = terminated or truncated
        return self._observe()[0], reward, terminated, truncated, self.info_of(0)

    def _checked(self, given: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
        actions: NDArray[np.float64] = np.asarray(given, np.float64)
        if actions.shape != shape:
            raise ValueError(f"an action here is an array {list(shape)}, not {list(actions.shape)}")
        if (car := first_not_finite(actions.reshape(-1, self._action_numbers))) >= 0:
            raise ValueError(f"action of car {car} is not finite")
        if not self._generators:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        over = self._state.resting
        if self.autoreset_mode is AutoresetMode.DISABLED and not self.rest_when_finished and over.any():
            raise gymnasium.error.ResetNeeded(f"the episode of car {over.argmax()} is over: call reset() before step()")
        return actions

    def _reset_finished(self, final_infos: dict[str, Any]) -> dict[str, Any]:
        done, last = self._state.resting.copy(), self._observe()
        final = np.full(self.num_envs, None, np.object_)
        for i in np.flatnonzero(done):
            final[i] = last[i].copy()
            self._begin(int(i))
        both = {"final_obs": final, "_final_obs": done, "final_info": final_infos, "_final_info": done.copy()}
        return {**self._infos(), **both}

    def _begin(self, i: int, seed: int | None = None, start_m: float | None = None) -> None:
        """Draw and start an episode of car i; without a seed its own generator gives one."""
        self._road_seeds[i] = int(self._generators[i].integers(2**62)) if seed is None else int(seed)
        self._state = world.begin(self._state, i, self.scenario, self._road_seeds[i], start_m)

    def _observe(self, changed: NDArray[np.bool_] | None = None) -> Any:
        """Return what all cars see; where possible, only those that have `changed` since the last time are rendered."""
        if self.observation_kind == "state":
            return world.state_numbers(self._state, self.scenario.curvature_limit_per_m)
        if self.autoreset_mode is not AutoresetMode.DISABLED or self.num_envs == 1:
            return self._shown(self._renderer.images(self._state))
        if changed is None or changed.all():
            self._seen = self._renderer.images(self._state)
        elif changed.any():
            self._seen[changed] = self._renderer.images(self._state.take(changed))
        return self._seen.copy() if self._film is None else self._shown(self._seen)

    def _shown(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return frames if self._film is None else world.shown(frames, self._film, self._state)

    def _infos(self, told: NDArray[np.bool_] | None = None) -> dict[str, Any]:
        """Return the infos as arrays [N], with masks of the cars of which they are told: by default all."""
        infos = world.info_from({name: self._state.cars[name].copy() for name in world.INFO_FIELDS})
        infos["road_seed"] = self._road_seeds.copy()
        if all(-(2**63) <= seed < 2**63 for seed in self._road_seeds):
            infos["road_seed"] = infos["road_seed"].astype(np.int64)
        infos["scenario"] = np.full(self.num_envs, self.scenario.name, np.object_)
        return world.masked(infos, np.ones(self.num_envs, np.bool_) if told is None else told)

    def info_of(self, car: int) -> dict[str, Any]:
        """Return the info of one car, as plain numbers."""
        info = world.info_from(
            dict(zip(world.INFO_FIELDS, self._state.cars[[*world.INFO_FIELDS]][car].item(), strict=True))
        )
        info["curvature_preview_per_m"] = info["curvature_preview_per_m"].copy()
        info["road_seed"], info["scenario"] = self._road_seeds[car], self.scenario.name
        return info

    def path_ahead(self, car: int = 0) -> dict[str, Any]:
        """Return what a map needs (world.py)."""
        return world.path_ahead(self._state, car)

    def push(self, acceleration_mps2: float, car: int = 0) -> None:
        """Blow on a car from the side, positive to the left, from the next step on until the next push; a gust besides
        the scenario's own.  ValueError for what is not finite."""
        if not np.isfinite(acceleration_mps2):
            raise ValueError(f"a push is a finite acceleration, not {acceleration_mps2}")
        self._state.cars[car]["push_mps2"] = acceleration_mps2

    def snapshot(self) -> Snapshot:
        """Return the point from which all N drives can be forked."""
        if not self._generators:
            raise gymnasium.error.ResetNeeded("call reset() before snapshot()")
        states = tuple(dict(g.bit_generator.state) for g in self._generators)
        film = None if self._film is None else self._film.copy()
        return Snapshot(self._state.copied(), self._road_seeds.copy(), states, self.scenario, film)

    def restore(self, snapshot: Snapshot) -> Any:
        """Go back to a snapshot of this scenario and number of cars; return its observation."""
        if len(snapshot.state.cars) != self.num_envs:
            raise ValueError(f"this snapshot is of {len(snapshot.state.cars)} car(s), not of {self.num_envs}")
        if snapshot.scenario != self.scenario:
            named = f"another scenario named {self.scenario.name}"
            other = named if snapshot.scenario.name == self.scenario.name else snapshot.scenario.name
            raise ValueError(
                f"this snapshot is of {other}, which this environment of {self.scenario.name} cannot go on"
            )
        if self._film is not None:
            if snapshot.film is None or snapshot.film.shape != self._film.shape:
                raise ValueError("this snapshot does not hold the last frames of this camera, which the scenario shows")
            self._film[:] = snapshot.film
        self._state = snapshot.state.copied()
        self._road_seeds[:] = snapshot.road_seeds
        self._generators = [np.random.default_rng(0) for _ in snapshot.generators]
        for generator, state in zip(self._generators, snapshot.generators, strict=True):
            generator.bit_generator.state = state
        return self._observe()

    def view(
        self,
        snapshot: Snapshot,
        interventions: Iterable[Intervention] = (),
        car: int = 0,
        camera: str | Camera | None = None,
    ) -> Frame:
        """Return the instant of a snapshot as seen under interventions; the drive itself is not touched."""
        renderer = self._renderer_of(self.camera if camera is None else Camera.parse(camera))
        scene = snapshot.scene(car, interventions)
        return renderer.frame(scene.state, scene.visible)

    def views(
        self,
        snapshots: Sequence[Snapshot],
        variants: Sequence[Iterable[Intervention]],
        car: int = 0,
        camera: str | Camera | None = None,
    ) -> NDArray[np.uint8]:
        """Return images [I, V, H, W, 3] of I instants under V variants each, all in one call."""
        renderer = self._renderer_of(self.camera if camera is None else Camera.parse(camera))
        kept = [tuple(variant) for variant in variants]
        scenes = [snapshot.scene(car, variant) for snapshot in snapshots for variant in kept]
        seen = pictures(renderer, scenes)
        return seen.reshape(len(snapshots), len(kept), *seen.shape[1:])

    def views_of_cars(self, variants: Sequence[Iterable[Intervention]]) -> NDArray[np.uint8]:
        """Return images [N, H, W, 3] of the present instant, each car's under a variant of its own."""
        snapshot = self.snapshot()
        scenes = [snapshot.scene(i, variant) for i, variant in enumerate(variants)]
        if len(scenes) != self.num_envs:
            raise ValueError(f"{self.num_envs} cars need as many variants, not {len(scenes)}")
        return pictures(self._renderer, scenes)

    def render(self) -> Any:
        """Return pictures for people: the view through the windscreen, 360x640, one per car."""
        if self.render_mode is None:
            return None
        return tuple(self._renderer_of(self.camera.resized(360, 640)).images(self._state))

    def _renderer_of(self, camera: Camera) -> Renderer:
        if camera not in self._renderers:
            self._renderers[camera] = Renderer(camera, not self.scenario.fine)
        return self._renderers[camera]
