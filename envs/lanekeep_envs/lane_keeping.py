"""`LaneKeeping-v0`: keep a car in the right-hand lane of a country road, from camera frames."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from lanekeep_envs.dynamics.vehicle import CONTROL_STEP_S
from lanekeep_envs.elements import Frame
from lanekeep_envs.interventions import Intervention
from lanekeep_envs.plain_spec import PlainSpec
from lanekeep_envs.renderer.camera import Camera
from lanekeep_envs.sampling.episode import generator_of
from lanekeep_envs.scenario.schema import Scenario
from lanekeep_envs.snapshot import Snapshot
from lanekeep_envs.vector_env import LaneKeepingVectorEnv

NO_SCREEN = ("dummy", "offscreen", "evdev")  # SDL's drivers that show nothing; it takes one where there is no display


class LaneKeepingEnv(PlainSpec, gymnasium.Env[Any, Any]):
    """
    ## Description
    A car drives at nearly constant speed along a two-lane road with bends down to the minimum radius of its design speed.
    The task is to stay in the right-hand lane.  Control runs at 20 Hz, physics at 100 Hz; the steering has a delay, a lag
    and a rate limit.  The observation shows the world after the action; only a scenario whose `[disturbance]` says so drops
    frames or shows them late.  `view()` and `render()` always show the present instant.

    ## Action space
    `Box(-1, 1, (1,), float32)`: desired path curvature / `curvature_limit_per_m` (country: 0.02 1/m), positive to the left.
    With `acceleration=True` a second number: forward acceleration / `acceleration_limit_mps2`.  Numbers outside are
    clipped, NaN is refused.

    ## Observation space
    `observation="camera"`: `Box(0, 255, (H, W, 3), uint8)`, RGB, by default 48x160; `camera="78x200"` is the NCP paper's.
    `observation="state"`: `Box(-1, 1, (14,), float32)`, the numbers named in `STATE_NAMES`, clipped.

    ## Reward
    The sum of `info["reward_terms"]`, in [-1.06, 0.1] per step:
    centring 0.1 (1 - (offset/half lane)^2), heading -0.05 |error|/0.2 rad, smoothness -0.01 |curvature change|/0.005,
    departure -1; every ratio is at most 1.

    ## Starting state
    20 m along a new road, up to 0.3 m and 1 degree off the middle of the lane, at 85 to 100 % of the design speed.

    ## Episode end
    `terminated` when a tyre passes the outer edge of a lane marking; `truncated` at the end of the road or the time limit.

    ## Info
    `lateral_offset_m, heading_error_rad, curvature_per_m, curvature_preview_per_m [8]` (at 2.5 to 40 m)`, speed_mps,
    distance_m, time_to_lane_crossing_s, lane_departure, lateral_acceleration_mps2, elapsed_s, reward_terms, scenario,
    road_seed`.

    ## Arguments
    `scenario` (a name, the path of a TOML file, a `Scenario`, or its table), `camera`, `observation`, `render_mode` (None,
    "rgb_array" or "human"), `acceleration`, `difficulty` (1: the scenario as written, 0: its roads on a fine, calm day).

    ## Version history
    v0: first version.
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": round(1 / CONTROL_STEP_S)}

    def __init__(
        self,
        scenario: str | Scenario | dict[str, Any] = "country",
        camera: str | Camera | dict[str, Any] = "48x160",
        observation: str = "camera",
        render_mode: str | None = None,
        acceleration: bool = False,
        difficulty: float = 1.0,
    ) -> None:
        if render_mode not in (None, "rgb_array", "human"):
            raise ValueError(f"render_mode is None, 'rgb_array' or 'human', not {render_mode!r}")
        picture = None if render_mode is None else "rgb_array"
        self._cars = LaneKeepingVectorEnv(
            1, scenario, camera, observation, picture, acceleration, AutoresetMode.DISABLED, difficulty
        )
        self.render_mode = render_mode
        self.scenario, self.camera = self._cars.scenario, self._cars.camera
        self.observation_space = self._cars.single_observation_space
        self.action_space = self._cars.single_action_space
        self._window: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy takes over: all but the window, of which it opens one of its own."""
        return {**self.__dict__, "_window": None}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; `options={"start_m": s}` begins it s metres along, in the middle of the lane."""
        if seed is not None:  # gymnasium refuses negative seeds; here every integer is one
            self._np_random, self._np_random_seed = generator_of(int(seed)), seed
        if options and "start_m" in options:
            options = {**options, "start_m": [options["start_m"]]}
        observation, _ = self._cars.reset(seed=None if seed is None else [int(seed)], options=options)
        if self.render_mode == "human":
            self.render()
        return observation[0], self._cars.info_of(0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Drive the car for 1/20 s."""
        observation, reward, terminated, truncated, info = self._cars.step_only_car(action)
        if self.render_mode == "human":
            self.render()
        return observation, reward, terminated, truncated, info

    def snapshot(self) -> Snapshot:
        """Return the point from which the drive can be forked."""
        return self._cars.snapshot()

    def restore(self, snapshot: Snapshot) -> Any:
        """Go back to a snapshot; return its observation."""
        return self._cars.restore(snapshot)[0]

    def view(
        self, snapshot: Snapshot, interventions: Iterable[Intervention] = (), camera: str | Camera | None = None
    ) -> Frame:
        """Return the instant of a snapshot as seen under interventions; the drive itself is not touched."""
        return self._cars.view(snapshot, interventions, 0, camera)

    def views(
        self,
        snapshots: Sequence[Snapshot],
        variants: Sequence[Iterable[Intervention]],
        camera: str | Camera | None = None,
    ) -> NDArray[np.uint8]:
        """Return images [I, V, H, W, 3] of I instants under V variants each, all in one call."""
        return self._cars.views(snapshots, variants, 0, camera)

    def info(self) -> dict[str, Any]:
        """Return the info of the last `reset` or `step`."""
        return self._cars.info_of(0)

    def push(self, acceleration_mps2: float) -> None:
        """Blow on the car from the side until the next push (vector_env.py)."""
        self._cars.push(acceleration_mps2)

    def path_ahead(self) -> dict[str, Any]:
        """Return what a map needs (world.py)."""
        return self._cars.path_ahead(0)

    def render(self) -> Any:
        """Return the view through the windscreen [360, 640, 3] (`rgb_array`) or show it in a window (`human`)."""
        pictures = self._cars.render()
        if pictures is None or self.render_mode == "rgb_array":
            return None if pictures is None else pictures[0]
        import pygame

        if self._window is None:
            pygame.display.init()
            if pygame.display.get_driver() in NO_SCREEN and "SDL_VIDEODRIVER" not in os.environ:
                pygame.display.quit()
                raise gymnasium.error.Error("render_mode='human' finds no display: take 'rgb_array', or set DISPLAY")
            pygame.display.set_caption("LaneKeeping-v0")
            self._window = (pygame.display.set_mode((640, 360)), pygame.time.Clock())
        screen, clock = self._window
        pygame.event.pump()
        pygame.surfarray.blit_array(screen, pictures[0].swapaxes(0, 1))
        pygame.display.flip()
        clock.tick(self.metadata["render_fps"])
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            import pygame

            pygame.display.quit()
            self._window = None
