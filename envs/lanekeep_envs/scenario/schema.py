"""The tables of a scenario file: a distribution over roads, appearances and disturbances, written in TOML.

Every pair `[low, high]` is the range of a uniform draw made once per episode.  Units are in the key's name.

A family says what a scenario is for.  `training`: drivers may learn on it.  `held-out`: what they are tested by, so that
training on it is refused.  `own`: what users write, for whatever they like.

`at(difficulty)` takes a scenario from a fine, calm day on the same roads (0) to itself (1).
"""

import math
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from lanekeep_envs.scenario.difficulty import eased

Straight = Annotated[float, msgspec.Meta(ge=0.0, le=100_000.0)]
Offset = Annotated[float, msgspec.Meta(ge=-5.0, le=5.0)]
Heading = Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)]
SpeedFactor = Annotated[float, msgspec.Meta(ge=0.01, le=2.0)]
Exposure = Annotated[float, msgspec.Meta(ge=0.01, le=10.0)]
Visibility = Annotated[float, msgspec.Meta(ge=1.0, le=1e6)]
Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Elevation = Annotated[float, msgspec.Meta(ge=2.0, le=85.0)]
Strength = tuple[Fraction, Fraction]
Mounting = Annotated[float, msgspec.Meta(ge=-10.0, le=10.0)]
Gust = Annotated[float, msgspec.Meta(ge=0.0, le=5.0)]
Crown = Annotated[float, msgspec.Meta(ge=-15.0, le=15.0)]
Friction = Annotated[float, msgspec.Meta(ge=0.05, le=1.5)]
WheelOffset = Annotated[float, msgspec.Meta(ge=-5.0, le=5.0)]
Delay = Annotated[float, msgspec.Meta(ge=0.0, le=0.4)]
LateFrames = Annotated[int, msgspec.Meta(ge=0, le=10)]
PerKm = Annotated[float, msgspec.Meta(ge=0.0, le=1000.0)]
Tie = Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)]
Family = Literal["training", "held-out", "own"]
Kind = Literal["asphalt", "concrete", "cobbles"]
Grey = Annotated[float, msgspec.Meta(ge=0.0, le=255.0)]
Speeds = Annotated[tuple[int, ...], msgspec.Meta(max_length=100)]
Kinds = Annotated[tuple[Kind, ...], msgspec.Meta(max_length=100)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message is one sentence."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file: all keys known, all keys checked."""


class RoadTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Geometry of the axis (road.py)."""

    design_speeds_kmh: Speeds = (50, 60, 70, 80)
    length_m: Annotated[int, msgspec.Meta(ge=100, le=100_000)] = 1000
    # bends from the minimum radius to this many times it
    radius_factor: Annotated[float, msgspec.Meta(ge=1.0, le=100.0)] = 4.0
    straight_m: tuple[Straight, Straight] = (40.0, 200.0)
    s_curve_probability: Fraction = 0.4


class LaneTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cross-section (RAS-Q 96, RQ 10.5) and markings (RMS-1: narrow line, rural dash)."""

    lane_width_m: Annotated[float, msgspec.Meta(ge=2.2, le=6.0)] = 3.5
    # paved strip beyond the lane; the edge marking lies on it
    edge_strip_m: Annotated[float, msgspec.Meta(ge=0.0, le=10.0)] = 0.25
    shoulder_m: Annotated[float, msgspec.Meta(ge=0.0, le=20.0)] = 1.5
    marking_width_m: Annotated[float, msgspec.Meta(ge=0.01, le=1.0)] = 0.12
    dash_m: Annotated[float, msgspec.Meta(ge=0.1, le=1000.0)] = 4.0
    gap_m: Annotated[float, msgspec.Meta(ge=0.0, le=1000.0)] = 8.0


class StartTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how fast an episode begins."""

    lateral_offset_m: tuple[Offset, Offset] = (-0.3, 0.3)
    heading_error_deg: tuple[Heading, Heading] = (-1.0, 1.0)
    speed_factor: tuple[SpeedFactor, SpeedFactor] = (0.85, 1.0)  # speed held, as a fraction of the design speed


class LookTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Light, air, surfaces and sensor."""

    sun_elevation_deg: tuple[Elevation, Elevation] = (10.0, 60.0)
    sunshine: tuple[Fraction, Fraction] = (0.0, 1.0)  # 0 overcast, 1 clear
    exposure: tuple[Exposure, Exposure] = (0.75, 1.15)
    visibility_m: tuple[Visibility, Visibility] = (400.0, 4000.0)
    asphalt_grey: tuple[Grey, Grey] = (72.0, 125.0)
    paint_grey: tuple[Grey, Grey] = (205.0, 245.0)
    noise_grey: tuple[Grey, Grey] = (0.0, 4.0)  # standard deviation of the sensor's noise


class SceneryTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands beside the road."""

    trees_per_km: tuple[PerKm, PerKm] = (20.0, 160.0)
    bushes_per_km: tuple[PerKm, PerKm] = (0.0, 80.0)
    nearest_tree_m: Annotated[float, msgspec.Meta(ge=1.0, le=100.0)] = 4.5  # from the edge of the asphalt
    # delineators on both sides (HLB)
    post_spacing_m: Annotated[float, msgspec.Meta(ge=5.0, le=1e6)] = 50.0
    avenue: Strength = (0.0, 0.0)  # rows of trees close to the road, whose shadows lie across it
    hedges: Strength = (0.0, 0.0)  # share of the roadside
    rails: Strength = (0.0, 0.0)  # share of the roadside with a guard rail
    signs_per_km: tuple[PerKm, PerKm] = (0.0, 0.0)
    buildings_per_km: tuple[PerKm, PerKm] = (0.0, 0.0)
    bridges_per_km: tuple[PerKm, PerKm] = (0.0, 0.0)  # over the road
    oncoming_per_km: tuple[PerKm, PerKm] = (0.0, 0.0)
    car_ahead: Fraction = 0.0  # probability that one drives ahead in the same lane


class WeatherTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Darkness and what falls or hangs in the air; strengths from 0 to 1."""

    night: Strength = (0.0, 0.0)  # 0 day .. 1 a moonless night with the car's own headlights
    fog: Strength = (0.0, 0.0)  # 1: a sight of 40 m
    rain: Strength = (0.0, 0.0)  # falling drops; at 1 a downpour
    snowfall: Strength = (0.0, 0.0)  # falling flakes
    glare: Strength = (0.0, 0.0)  # of the sun, or of lamps at night, in the lens
    presence: Fraction = 1.0  # share of the episodes in which one of these is there at all, drawn for each


class SurfaceTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """State of road and markings; strengths from 0 to 1."""

    kinds: Kinds = ("asphalt",)
    worn: Strength = (0.0, 0.0)  # paint rubbed off, in patches
    missing: Strength = (0.0, 0.0)  # share of the markings' length that is gone
    seams: Strength = (0.0, 0.0)
    ghost_lines: Strength = (0.0, 0.0)  # old markings beside the valid ones
    roadworks: Strength = (0.0, 0.0)  # yellow markings over the white ones: 1 all along
    wet: Strength = (0.0, 0.0)
    puddles: Strength = (0.0, 0.0)
    snow: Strength = (0.0, 0.0)  # lying: first the land, then the shoulders, at 1 over the markings
    leaves: Strength = (0.0, 0.0)
    presence: Fraction = 1.0  # share of the episodes in which one of these is there at all, drawn for each


class SensorTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Lens, mounting and picture; strengths from 0 to 1."""

    drops: Strength = (0.0, 0.0)
    dirt: Strength = (0.0, 0.0)
    motion_blur: Strength = (0.0, 0.0)  # share of the control step that the shutter is open
    jpeg: Strength = (0.0, 0.0)  # 0 lossless .. 1 coarse
    height_error_m: tuple[Mounting, Mounting] = (0.0, 0.0)
    pitch_error_deg: tuple[Mounting, Mounting] = (0.0, 0.0)
    yaw_error_deg: tuple[Mounting, Mounting] = (0.0, 0.0)
    roll_error_deg: tuple[Mounting, Mounting] = (0.0, 0.0)
    sway: Strength = (0.0, 0.0)  # pitching and rolling of the body
    presence: Fraction = 1.0  # share of the episodes in which one of these is there at all, drawn for each


class DisturbanceTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What pushes the car or cheats its controls."""

    gust_mps2: tuple[Gust, Gust] = (0.0, 0.0)  # standard deviation of the crosswind's acceleration
    crown_percent: tuple[Crown, Crown] = (0.0, 0.0)  # cross fall of the road to the right
    friction: tuple[Friction, Friction] = (0.9, 0.9)
    steering_offset_deg: tuple[WheelOffset, WheelOffset] = (0.0, 0.0)  # of the road wheels
    extra_delay_s: tuple[Delay, Delay] = (0.0, 0.0)  # of the actuator
    dropped_frames: Strength = (0.0, 0.0)  # probability that the camera shows the last frame again
    late_frames: tuple[LateFrames, LateFrames] = (0, 0)  # control steps that every frame comes late
    presence: Fraction = 1.0  # share of the episodes in which one of these is there at all, drawn for each


class ConfounderTable(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Innocent elements tied to the driving: -1 reversed, 0 untied, 1 always."""

    trees_outside_bends: Tie = 0.0
    dark_asphalt: Fraction = 0.0  # patches of darker asphalt, of this strength
    dark_before_left_bends: Tie = 0.0  # at 0 they lie anywhere
    lamp: Fraction = 0.0  # a lamp on the dashboard, of this strength
    lamp_shows_steering: Tie = 0.0  # the last action, in this share of the frames


def keys_of(table: type[Table], kind: Any) -> tuple[str, ...]:
    """Return the names of the keys of a table that are of a kind, such as `Strength`."""
    return tuple(key for key, hint in get_type_hints(table, include_extras=True).items() if hint == kind)


STRENGTHS = {  # table -> its keys that are a strength from 0 to 1, each a number of the appearance
    name: keys_of(table, Strength)
    for name, table in (("weather", WeatherTable), ("surface", SurfaceTable), ("sensor", SensorTable))
}
OF_A_FINE_DAY = ("trees_per_km", "bushes_per_km", "nearest_tree_m", "post_spacing_m")  # keys of `scenery`


class Scenario(Table, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A distribution over episodes."""

    name: Text = ""
    description: Text
    family: Family = "own"
    unavoidable_departures: Text = ""  # why even the expert departs here, if it does
    curvature_limit_per_m: Annotated[float, msgspec.Meta(ge=1e-4, le=10.0)] = 0.02  # path curvature of action 1
    acceleration_limit_mps2: Annotated[float, msgspec.Meta(ge=0.01, le=50.0)] = 3.0  # of the optional second action
    time_limit_s: Annotated[float, msgspec.Meta(ge=0.05, le=100_000.0)] = 120.0
    road: RoadTable = RoadTable()
    lane: LaneTable = LaneTable()
    start: StartTable = StartTable()
    look: LookTable = LookTable()
    scenery: SceneryTable = SceneryTable()
    weather: WeatherTable = WeatherTable()
    surface: SurfaceTable = SurfaceTable()
    sensor: SensorTable = SensorTable()
    disturbance: DisturbanceTable = DisturbanceTable()
    confounder: ConfounderTable = ConfounderTable()

    @property
    def fine(self) -> bool:
        """Whether the scenario has no more than a fine day on asphalt with plants and posts, for which less is compiled."""
        plants = {key: getattr(FINE_DAY.scenery, key) for key in OF_A_FINE_DAY}
        bare = msgspec.structs.replace(self, scenery=msgspec.structs.replace(self.scenery, **plants))
        return all(getattr(bare, name) == getattr(FINE_DAY, name) for name in (*STRENGTHS, "scenery", "confounder"))

    def at(self, difficulty: float) -> "Scenario":
        """Return the scenario made easier: 0 is a fine, calm day on its roads, 1 the scenario as written."""
        if not 0.0 <= difficulty <= 1.0:
            raise ScenarioError(f"difficulty must be 0 to 1, not {difficulty}")
        if difficulty == 1.0:
            return self
        tables = {
            name: eased(getattr(self, name), getattr(FINE_DAY, name), keys, difficulty)
            for name, keys in DIALLED.items()
        }
        return msgspec.structs.replace(self, **tables)


# What the dial moves, and to where.  How many objects stand beside the road, the kinds of surface, presences, geometry,
# starts and innocent ties stay as written.
FINE_DAY = Scenario(description="", look=LookTable(sun_elevation_deg=(8.0, 60.0), visibility_m=(400.0, math.inf)))
DIALLED: dict[str, tuple[str, ...]] = {
    "look": ("sun_elevation_deg", "sunshine", "exposure", "visibility_m", "noise_grey"),
    "scenery": keys_of(SceneryTable, Strength),
    **{
        name: tuple(key for key in getattr(FINE_DAY, name).__struct_fields__ if key not in ("kinds", "presence"))
        for name in ("weather", "surface", "sensor", "disturbance")
    },
}
