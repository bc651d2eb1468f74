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

from lanekeep_envs.dynamics.control_step import (
    CAR_STATE,
    CONTROL_STEP_S,
    DEFAULT_VEHICLE,
    EPISODE,
    PREVIEW_M,
    first_not_finite,
    place_car,
    show_frames,
    step_cars,
)
from lanekeep_envs.dynamics.road import SPACING_M
from lanekeep_envs.elements import Frame
from lanekeep_envs.interventions import Intervention, intervene
from lanekeep_envs.renderer.camera import Camera
from lanekeep_envs.renderer.renderer import Renderer
from lanekeep_envs.sampling.appearance import APPEARANCE, sample_appearance
from lanekeep_envs.sampling.episode import START_M, draw_episode, draw_road, empty_roads, generator_of
from lanekeep_envs.sampling.roadside import OBJECT, RECORD, plant
from lanekeep_envs.sampling.traffic import OTHER_CAR, draw_traffic, place_of
from lanekeep_envs.scenario import Scenario, load_scenario
from lanekeep_envs.snapshot import Snapshot, pictures, scene_of

STATE_NAMES = (
    "lateral_offset_m / 2",
    "heading_error_rad / 0.3",
    "speed_mps / 30",
    "yaw_rate / 0.6",
    "wheel_angle / 0.1",
    "curvature_per_m / limit",
    *(f"curvature at {d:g} m / limit" for d in PREVIEW_M),
)
INFO_FIELDS = (
    "lateral_offset_m",
    "heading_error_rad",
    "curvature_per_m",
    "curvature_preview_per_m",
    "distance_m",
    "time_to_lane_crossing_s",
    "lane_departure",
    "lateral_acceleration_mps2",
)
REWARD_TERMS = ("centring", "heading", "smoothness", "departure")
_TOLD, _VERDICT = (*INFO_FIELDS, "speed", "steps", *REWARD_TERMS), ("reward", "lane_departure", "truncated")


class LaneKeepingVectorEnv(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """N independent `LaneKeeping-v0` cars in one process, stepped and rendered by compiled kernels.

    `autoreset_mode` is gymnasium's: NEXT_STEP (default), SAME_STEP (`info["final_obs"]`, `info["final_info"]`) or
    DISABLED (reset by `options={"reset_mask": mask}`).  `reset` also takes `options={"start_m": [N]}`: begin this far
    along the road, in the middle of the lane; None for a car that starts as usual.
    """

    def __init__(
        self,
        num_envs: int = 1,
        scenario: str | Scenario = "country",
        camera: str | Camera = "48x160",
        observation: str = "camera",
        render_mode: str | None = None,
        acceleration: bool = False,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        difficulty: float = 1.0,
    ) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, not {num_envs}")
        if observation not in ("camera", "state"):
            raise ValueError(f"observation is 'camera' or 'state', not {observation!r}")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode of the vector environment is None or 'rgb_array', not {render_mode!r}")
        self.num_envs, self.render_mode, self.observation_kind = num_envs, render_mode, observation
        self.scenario, self.camera = load_scenario(scenario).at(difficulty), Camera.parse(camera)
        self.vehicle = DEFAULT_VEHICLE
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
            self.single_observation_space = gymnasium.spaces.Box(-1.0, 1.0, (len(STATE_NAMES),), np.float32)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, num_envs)
        self._cars, self._episodes, self._appearances = (
            np.zeros(num_envs, kind) for kind in (CAR_STATE, EPISODE, APPEARANCE)
        )
        self._told, self._verdict = self._cars[list(_TOLD)], self._cars[list(_VERDICT)]  # views
        self._roads = empty_roads(self.scenario, num_envs)
        self._objects = np.zeros((num_envs, 1), OBJECT)
        self._traffic = np.zeros((num_envs, 0), OTHER_CAR)
        self._counts = np.zeros(num_envs, np.int64)
        self._road_seeds = np.zeros(num_envs, np.object_)  # any integer is a seed, also one beyond 64 bits
        self._resting = np.ones(num_envs, np.bool_)
        self._generators: list[np.random.Generator] = []
        self._seen = np.empty(0, np.uint8)  # the last frames, kept where a reset may be of some cars only
        self._film = self._empty_film() if observation == "camera" else None
        self._renderer = Renderer(self.camera, not self.scenario.fine)
        self._renderers = {self.camera: self._renderer}

    def _empty_film(self) -> NDArray[np.uint8] | None:
        """Room [N, K, H, W, 3] for the frames that the scenario may still show; None if each is shown at once, once."""
        table, camera = self.scenario.disturbance, self.camera
        latest = table.late_frames[1]
        if latest == 0 and table.dropped_frames[1] == 0.0:
            return None
        return np.zeros((self.num_envs, latest + 2, camera.height_px, camera.width_px, 3), np.uint8)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episodes: of all cars, or of those in `options["reset_mask"]`; any integer is a seed."""
        options = options or {}
        mask = np.asarray(options.get("reset_mask", np.ones(self.num_envs, np.bool_)))
        if mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            raise ValueError(f"reset_mask is {self.num_envs} booleans, not {mask.dtype} {list(mask.shape)}")
        starts = options.get("start_m")
        if not self._generators:
            entropy = np.random.SeedSequence().generate_state(self.num_envs)
            self._generators = [np.random.default_rng(int(e)) for e in entropy]
            mask = np.ones(self.num_envs, np.bool_)
        seeds = [int(seed) + i for i in range(self.num_envs)] if isinstance(seed, (int, np.integer)) else seed
        self._check_reset(seeds, starts)
        for i in np.flatnonzero(mask):
            given = None if seeds is None else seeds[int(i)]
            if given is not None:
                self._generators[i] = generator_of(int(given))
            self._begin(int(i), given, None if starts is None or starts[i] is None else float(starts[i]))
        return self._observe(mask), self._infos()

    def _check_reset(self, seeds: Sequence[int | None] | None, starts: Sequence[float | None] | None) -> None:
        if seeds is not None and len(seeds) != self.num_envs:
            raise ValueError(f"{self.num_envs} car(s) take {self.num_envs} seed(s), not {len(seeds)}")
        if starts is not None and np.asarray(starts, np.object_).shape != (self.num_envs,):
            raise ValueError(f"start_m is one number or None for each of {self.num_envs} car(s), not {starts}")
        last = self._roads.shape[1] - 2  # a start beyond the table would read memory that is no road
        for start in starts if starts is not None else ():
            if start is not None and not 0.0 <= start <= last:
                raise ValueError(f"start_m must be 0 to {last} on this road, not {start}")

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Drive all cars for 1/20 s; a NaN among the actions is refused and nothing moves."""
        actions = self._checked(actions)
        fresh = self._resting.copy() if self.autoreset_mode is AutoresetMode.NEXT_STEP else None
        if fresh is not None and fresh.any():
            for i in np.flatnonzero(fresh):
                self._begin(int(i), None, None)
            self._resting = fresh
        step_cars(self._cars, actions, self._episodes, self._roads, self.vehicle, self._resting)
        rewards = self._cars["reward"].copy()
        terminated, truncated = self._cars["lane_departure"].copy(), self._cars["truncated"].copy()
        if fresh is not None:
            rewards[fresh], terminated[fresh], truncated[fresh] = 0.0, False, False
        self._resting = terminated | truncated
        infos = self._infos()
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._resting.any():
            infos = self._reset_finished(infos)
        return self._observe(), rewards, terminated, truncated, infos

    def step_only_car(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The same for N = 1, in plain numbers and without a reset: the single environment's step."""
        step_cars(self._cars, self._checked(action), self._episodes, self._roads, self.vehicle, self._resting)
        info = self.info_of(0)
        reward, terminated, truncated = self._verdict[0].item()
        self._resting[0] = terminated or truncated
        return self._observe()[0], reward, terminated, truncated, info

    def _checked(self, given: Any) -> NDArray[np.float64]:
        actions: NDArray[np.float64] = np.asarray(given, np.float64).reshape(self.num_envs, -1)
        if actions.shape[1] != self._action_numbers:
            raise ValueError(f"an action has {self._action_numbers} number(s), not {actions.shape[1]}")
        if (car := first_not_finite(actions)) >= 0:
            raise ValueError(f"action of car {car} is not finite")
        if not self._generators:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        return actions

    def _reset_finished(self, final_infos: dict[str, Any]) -> dict[str, Any]:
        done, final = self._resting.copy(), self._observe()
        for i in np.flatnonzero(done):
            self._begin(int(i), None, None)
        return {**self._infos(), "final_obs": final, "final_info": final_infos, "_final_obs": done, "_final_info": done}

    def _begin(self, i: int, seed: int | None, start_m: float | None) -> None:
        """Draw and start an episode of car i; without a seed its own generator gives one."""
        own = int(self._generators[i].integers(2**62)) if seed is None else int(seed)
        generator = generator_of(own)
        scenario, start = self.scenario, self.scenario.start
        road = self._roads[i]
        design_speed_mps = draw_road(road, scenario, generator)
        sample_appearance(self._appearances[i], scenario, generator)
        self._set_objects(i, plant(road, scenario, generator))
        draw_episode(self._episodes[i], scenario, generator.spawn(1)[0])
        self._set_traffic(i, draw_traffic(scenario, len(road) * SPACING_M, design_speed_mps, generator.spawn(1)[0]))
        u = generator.random(3)
        pairs = (start.lateral_offset_m, start.heading_error_deg, start.speed_factor)
        offset, turn, factor = (low + (high - low) * share for (low, high), share in zip(pairs, u, strict=True))
        where = START_M if start_m is None else start_m
        offset, turn = (offset, np.deg2rad(turn)) if start_m is None else (0.0, 0.0)
        speed = factor * design_speed_mps
        place_car(self._cars[i], road, self._episodes[i], self.vehicle, where, offset, turn, speed)
        self._road_seeds[i], self._resting[i] = own, False

    def _set_objects(self, i: int, objects: NDArray[np.void]) -> None:
        if len(objects) > self._objects.shape[1]:
            grown = np.zeros((self.num_envs, len(objects) + 64), OBJECT)
            grown[:, : self._objects.shape[1]] = self._objects
            self._objects = grown
        self._objects[i, : len(objects)].view(RECORD)[:] = objects.view(RECORD)
        self._counts[i] = len(objects)

    def _set_traffic(self, i: int, vehicles: NDArray[np.void]) -> None:
        if len(vehicles) > self._traffic.shape[1]:
            grown = np.zeros((self.num_envs, len(vehicles)), OTHER_CAR)
            grown[:, : self._traffic.shape[1]] = self._traffic
            self._traffic = grown
        self._traffic[i] = np.zeros((), OTHER_CAR)
        self._traffic[i, : len(vehicles)] = vehicles

    def _scene(self) -> tuple[Any, ...]:
        return self._cars, self._roads, self._objects, self._counts, self._appearances, self._traffic

    def _observe(self, changed: NDArray[np.bool_] | None = None) -> Any:
        """What all cars see; only those `changed` since the last time are rendered, where that saves anything."""
        if self.observation_kind == "camera":
            if self.autoreset_mode is not AutoresetMode.DISABLED or self.num_envs == 1:
                return self._shown(self._renderer.images(*self._scene()))
            if changed is None or changed.all():
                self._seen = self._renderer.images(*self._scene())
            elif changed.any():
                self._seen[changed] = self._renderer.images(*(part[changed] for part in self._scene()))
            return self._seen.copy() if self._film is None else self._shown(self._seen)
        cars, limit = self._cars, self.scenario.curvature_limit_per_m
        columns = [
            cars["lateral_offset_m"] / 2.0,
            cars["heading_error_rad"] / 0.3,
            cars["speed"] / 30.0,
            cars["yaw_rate"] / 0.6,
            cars["wheel_angle"] / 0.1,
            cars["curvature_per_m"] / limit,
            *(cars["curvature_preview_per_m"] / limit).T,
        ]
        return np.clip(np.stack(columns, 1), -1.0, 1.0).astype(np.float32)

    def _shown(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the cameras hand out at this instant for what they see: frames may be dropped and come late."""
        if self._film is None:
            return frames
        shown, number = np.empty_like(frames), self.num_envs
        flat, film = frames.reshape(number, -1), self._film.reshape(number, self._film.shape[1], -1)
        show_frames(shown.reshape(number, -1), film, flat, self._cars, self._episodes)
        return shown

    def _infos(self) -> dict[str, Any]:
        cars = self._cars
        infos: dict[str, Any] = {name: cars[name].copy() for name in INFO_FIELDS}
        infos["speed_mps"] = cars["speed"].copy()
        infos["elapsed_s"] = cars["steps"] * CONTROL_STEP_S
        infos["reward_terms"] = {term: cars[term].copy() for term in REWARD_TERMS}
        infos["road_seed"] = self._road_seeds.copy()
        infos["scenario"] = self.scenario.name
        return infos

    def info_of(self, car: int) -> dict[str, Any]:
        """Info of one car, as plain numbers."""
        info = dict(zip(_TOLD, self._told[car].item(), strict=True))
        info["curvature_preview_per_m"] = info["curvature_preview_per_m"].copy()
        info["speed_mps"], info["elapsed_s"] = info.pop("speed"), info.pop("steps") * CONTROL_STEP_S
        info["reward_terms"] = {term: info.pop(term) for term in REWARD_TERMS}
        info["road_seed"], info["scenario"] = int(self._road_seeds[car]), self.scenario.name
        return info

    def path_ahead(self, car: int = 0) -> dict[str, Any]:
        """What a map needs: the road's axis [M] (x, y, heading), the car's pose, the things beside the road, other cars.

        Of these `others` [K, 4] has the middle (x, y) and the unit vector ahead.
        """
        state, road = self._cars[car], self._roads[car]
        lane_m = self._appearances[car]["lane_m"] * self._appearances[car]["mirror"]
        others = [
            place_of(vehicle, state["steps"], state["distance_m"], road, lane_m)
            for vehicle in self._traffic[car]
            if vehicle["lane"] != 0
        ]
        return {
            "others": np.array([place for s, *place in others if 0.0 < s < len(road) - 1]).reshape(-1, 4),
            "road": self._roads[car].copy(),
            "x": float(state["x"]),
            "y": float(state["y"]),
            "yaw": float(state["yaw"]),
            "things": self._objects[car, : self._counts[car]].copy(),
        }

    def push(self, acceleration_mps2: float, car: int = 0) -> None:
        """Blow on a car from the side, positive to the left, from the next step on until told otherwise; a gust besides
        the scenario's own.  ValueError for what is not finite."""
        if not np.isfinite(acceleration_mps2):
            raise ValueError(f"a push is a finite acceleration, not {acceleration_mps2}")
        self._cars[car]["push_mps2"] = acceleration_mps2

    def snapshot(self) -> Snapshot:
        """Fork point of all N drives."""
        if not self._generators:
            raise gymnasium.error.ResetNeeded("call reset() before snapshot()")
        return Snapshot(
            self._cars.copy(),
            self._episodes.copy(),
            self._roads.copy(),
            self._appearances.copy(),
            tuple(self._objects[i, : self._counts[i]].copy() for i in range(self.num_envs)),
            self._road_seeds.copy(),
            self._resting.copy(),
            tuple(dict(g.bit_generator.state) for g in self._generators),
            self._traffic.copy(),
            None if self._film is None else self._film.copy(),
        )

    def restore(self, snapshot: Snapshot) -> Any:
        """Go back to a snapshot of this scenario and number of cars; return its observation."""
        if len(snapshot.cars) != self.num_envs or snapshot.roads.shape != self._roads.shape:
            raise ValueError(f"this snapshot is of {len(snapshot.cars)} car(s) on another kind of road")
        if self._film is not None:
            if snapshot.film is None or snapshot.film.shape != self._film.shape:
                raise ValueError("this snapshot does not hold the last frames of this camera, which the scenario shows")
            self._film[:] = snapshot.film
        self._cars[:], self._episodes[:], self._appearances[:] = snapshot.cars, snapshot.episodes, snapshot.appearances
        self._roads[:], self._road_seeds[:] = snapshot.roads, snapshot.road_seeds
        self._resting = snapshot.resting.copy()
        self._generators = []
        for i, state in enumerate(snapshot.generators):
            self._set_objects(i, snapshot.objects[i])
            self._set_traffic(i, snapshot.traffic[i])
            generator = np.random.default_rng(0)
            generator.bit_generator.state = state
            self._generators.append(generator)
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
        scene = intervene(scene_of(snapshot, car), interventions)
        return renderer.frame(
            scene.car, scene.road, scene.objects, len(scene.objects), scene.appearance, scene.visible, scene.traffic
        )

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
        scenes = [intervene(scene_of(snapshot, car), variant) for snapshot in snapshots for variant in kept]
        seen = pictures(renderer, scenes)
        return seen.reshape(len(snapshots), len(kept), *seen.shape[1:])

    def views_of_cars(self, variants: Sequence[Iterable[Intervention]]) -> NDArray[np.uint8]:
        """Return images [N, H, W, 3] of the present instant, each car's under a variant of its own."""
        snapshot = self.snapshot()
        scenes = [intervene(scene_of(snapshot, i), variant) for i, variant in enumerate(variants)]
        if len(scenes) != self.num_envs:
            raise ValueError(f"{self.num_envs} cars need as many variants, not {len(scenes)}")
        return pictures(self._renderer, scenes)

    def render(self) -> Any:
        """Return pictures for people: the view through the windscreen, 360x640, one per car."""
        if self.render_mode is None:
            return None
        return tuple(self._renderer_of(self.camera.resized(360, 640)).images(*self._scene()))

    def _renderer_of(self, camera: Camera) -> Renderer:
        if camera not in self._renderers:
            self._renderers[camera] = Renderer(camera, not self.scenario.fine)
        return self._renderers[camera]
