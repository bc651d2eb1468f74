"""How an episode looks: light, air, surfaces and sensor, sampled once and held in one record of `APPEARANCE`.

Colours are display values 0..255.  A surface shows  albedo * (ambient + sun * sunshine),  mixed with the haze by
1 - exp(-distance / visibility).  The sun's height sets the palette: warm and low at dusk, white and high at noon.

Some numbers are causes (the sun's height, the clear sky, strengths of the weather), others follow from them (colours of
light, sky and hills, sunshine, clouds, visibility): `derive` sets these again after a cause was changed.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.sampling.ranges import present, uniform
from lanekeep_envs.scenario.schema import STRENGTHS, Scenario

RGB = tuple[float, float, float]
Appearance = np.void | dict[str, Any]  # a record of APPEARANCE, or its numbers by name, which are faster to work with

COLOURS = (
    "sunlight",  # colour and strength of the direct light on flat ground
    "ambient",
    "zenith",
    "horizon",  # also the colour of the haze
    "hill",
    "bare_hill",  # a cause: without snow
    "cloud",
    "grass",
    "field",
    "gravel",
    "asphalt",
    "paint",
    "leaf",
    "needle",
    "centre_paint",
    "left_paint",
    "right_paint",
)
SURFACES = ("asphalt", "concrete", "cobbles")
GROUND_STRENGTHS = (*STRENGTHS["surface"], "night", "fog")  # of these, the ground of a fine day has none
MOUNTING = ("height_error_m", "pitch_error_deg", "yaw_error_deg", "roll_error_deg")
CONDITIONS = [(table, name) for table, names in STRENGTHS.items() for name in names]  # drawn in this order
CONDITIONS += [("sensor", name) for name in MOUNTING]
APPEARANCE = np.dtype(
    [
        *((colour, np.float64, (3,)) for colour in COLOURS),  # RGB
        ("sun_x", np.float64),  # unit vector to the sun, world frame
        ("sun_y", np.float64),
        ("sun_z", np.float64),  # up
        ("sunshine", np.float64),  # 0 overcast .. 1 clear
        ("glow", np.float64),  # brightening of the sky around the sun
        ("cloudiness", np.float64),
        ("hill_height", np.float64),  # tangent of the elevation of the highest hills
        ("exposure", np.float64),
        ("visibility_m", np.float64),
        ("noise_grey", np.float64),
        ("noise_seed", np.int64),
        ("offset_x", np.float64),  # moves the texture, so that no two episodes have the same ground [texels]
        ("offset_y", np.float64),
        ("mirror", np.float64),  # +1, or -1 for the mirrored world
        ("lane_m", np.float64),
        ("line_m", np.float64),
        ("strip_m", np.float64),
        ("shoulder_m", np.float64),
        ("dash_m", np.float64),
        ("gap_m", np.float64),
        *((name, np.float64) for names in STRENGTHS.values() for name in names),
        *((name, np.float64) for name in MOUNTING),
        ("surface_kind", np.int64),  # index into SURFACES
        ("centre_shift_m", np.float64),  # of the markings, to the left, from where they belong: by intervention
        ("left_shift_m", np.float64),
        ("right_shift_m", np.float64),
        ("own_paint", np.bool_),  # the markings differ in colour
        ("lamp", np.float64),  # planted confounders
        ("lamp_tie", np.float64),
        ("dark_asphalt", np.float64),
        ("plain", np.bool_),  # nothing of SURFACES and `surface`, and daylight: the ground of a fine day
        ("sun_elevation_deg", np.float64),  # causes: what there would be by day in dry, clear air
        ("clear_sunshine", np.float64),
        ("clear_visibility_m", np.float64),
        ("clear_cloudiness", np.float64),
    ]
)
NIGHT_LIGHT = 0.03  # of the day's: dusk falls in equal ratios, not in equal steps
FOG_PER_M, RAIN_PER_M, SNOWFALL_PER_M = 1.0 / 40.0, 1.0 / 350.0, 1.0 / 110.0  # extinction at strength 1
NIGHT_COLOURS = (  # moonless, with a faint horizon
    ("ambient", (0.040, 0.046, 0.062)),
    ("sunlight", (0.0, 0.0, 0.0)),
    ("zenith", (4.0, 6.0, 14.0)),
    ("cloud", (8.0, 10.0, 17.0)),
)


def mix(low: RGB, high: RGB, share: float) -> RGB:
    """Return the colour at a share of the way from one to another."""
    rest = 1.0 - share
    return rest * low[0] + share * high[0], rest * low[1] + share * high[1], rest * low[2] + share * high[2]


def tinted(light: float, colour: RGB) -> RGB:
    """Return a colour in light of this strength."""
    return light * colour[0], light * colour[1], light * colour[2]


def set_sun(appearance: Appearance, elevation_deg: float, azimuth_rad: float, sunshine: float) -> None:
    """Place the sun; `sunshine` 0 is an overcast sky."""
    elevation = math.radians(elevation_deg)
    flat = math.cos(elevation)
    appearance["sun_x"], appearance["sun_y"] = flat * math.cos(azimuth_rad), flat * math.sin(azimuth_rad)
    appearance["sun_z"] = math.sin(elevation)
    appearance["sun_elevation_deg"], appearance["clear_sunshine"] = elevation_deg, sunshine


def hidden(strength: float) -> float:
    """Return the share of the sky that weather of a strength hides: 1 - (1 - strength)^4."""
    clear = 1.0 - strength
    return 1.0 - clear * clear * clear * clear


def derive(appearance: Appearance) -> None:
    """Set what follows from the causes: light, sky, clouds, hills and visibility."""
    fog, rain, snowfall = appearance["fog"], appearance["rain"], appearance["snowfall"]
    noon = min(max((appearance["sun_elevation_deg"] - 5.0) / 25.0, 0.0), 1.0)
    noon = noon * noon * (3.0 - 2.0 * noon)
    falling = 1.0 - (1.0 - hidden(rain)) * (1.0 - hidden(snowfall))
    sunshine = appearance["clear_sunshine"] * (1.0 - falling) * (1.0 - hidden(fog))
    dark = (1.0 - NIGHT_LIGHT ** appearance["night"]) / (1.0 - NIGHT_LIGHT)
    set_daylight(appearance, noon, sunshine, (1.0 - 0.30 * rain) * (1.0 - 0.18 * snowfall))
    set_weather_sky(appearance, noon)
    night_horizon = mix((15.0, 20.0, 34.0), (22.0, 23.0, 27.0), hidden(max(fog, snowfall)))
    for name, colour in (*NIGHT_COLOURS, ("horizon", night_horizon)):
        appearance[name] = mix(appearance[name], colour, dark)
    appearance["zenith"] = mix(appearance["zenith"], appearance["horizon"], 0.85 * hidden(fog))
    appearance["glow"] = sunshine * (0.9 - 0.6 * noon) * (1.0 - dark)
    appearance["sunshine"] = sunshine * (1.0 - dark)
    clouds = appearance["clear_cloudiness"] + falling * (0.8 - appearance["clear_cloudiness"])
    appearance["cloudiness"] = clouds - 2.5 * hidden(fog)
    denser_per_m = fog * FOG_PER_M + rain * RAIN_PER_M + snowfall * SNOWFALL_PER_M
    clear_m = appearance["clear_visibility_m"]
    appearance["visibility_m"] = clear_m / (1.0 + clear_m * denser_per_m)
    appearance["hill"] = mix(appearance["bare_hill"], (206.0, 212.0, 222.0), 0.85 * appearance["snow"])


def set_daylight(appearance: Appearance, noon: float, sunshine: float, gloom: float) -> None:
    """Set light and sky of a dry day with this much sunshine; clouds leave the share `gloom` of the diffuse light."""
    warmth = mix((1.30, 0.92, 0.58), (1.06, 1.0, 0.92), noon)
    appearance["sunlight"] = tinted(sunshine * (0.28 + 0.34 * noon), warmth)
    ambient = tinted(0.80 + 0.20 * noon, mix((0.74, 0.76, 0.82), (0.46, 0.50, 0.56), sunshine))
    appearance["ambient"] = tinted(gloom, ambient)
    for name, clear, grey in (
        ("zenith", mix((78, 96, 148), (74, 128, 200), noon), mix((120, 124, 136), (158, 164, 172), noon)),
        ("horizon", mix((246, 186, 130), (196, 216, 232), noon), mix((188, 184, 184), (206, 210, 214), noon)),
        ("cloud", mix((250, 200, 165), (250, 250, 250), noon), mix((150, 150, 158), (190, 193, 198), noon)),
    ):
        appearance[name] = tinted(gloom, mix(grey, clear, sunshine))


def set_weather_sky(appearance: Appearance, noon: float) -> None:
    """Veil the sky by day: snowfall and fog are bright and hide its gradient, rain is a darker grey."""
    snowy, foggy = 0.8 * hidden(appearance["snowfall"]), hidden(appearance["fog"])
    snow_grey = mix((160.0, 164.0, 174.0), (184.0, 189.0, 196.0), noon)
    fog_grey = mix((166.0, 167.0, 170.0), (194.0, 199.0, 202.0), noon)
    for name in ("zenith", "horizon", "cloud"):
        appearance[name] = mix(mix(appearance[name], snow_grey, snowy), fog_grey, foggy)


def set_surfaces(appearance: Appearance, scenario: Scenario, u: Sequence[float]) -> None:
    """Set the colours of road and land from seven uniform numbers."""
    table = scenario.look
    hue = mix((0.97, 0.99, 1.03), (1.03, 1.0, 0.96), u[1])
    appearance["asphalt"] = tinted(uniform(table.asphalt_grey, u[0]), hue)
    appearance["paint"] = tinted(uniform(table.paint_grey, u[2]), (1.0, 0.99, 0.96))
    grass = mix((74, 104, 42), (142, 134, 70), u[3])
    appearance["grass"] = grass
    appearance["bare_hill"] = (0.5 * grass[0] + 40.0, 0.5 * grass[1] + 48.0, 0.5 * grass[2] + 42.0)
    appearance["field"] = mix((96, 128, 52), (196, 172, 96), u[4])
    appearance["gravel"] = mix((118, 112, 100), (150, 140, 122), u[5])
    appearance["leaf"] = mix((52, 84, 32), (112, 116, 40), u[6])
    appearance["needle"] = (36.0, 62.0, 40.0)


def sample_appearance(record: np.void, scenario: Scenario, generator: np.random.Generator) -> None:
    """Draw the appearance of one episode into a `record`."""
    table, lane = scenario.look, scenario.lane
    appearance: dict[str, Any] = dict.fromkeys(APPEARANCE.names or (), 0.0)
    u = generator.random(17).tolist()
    set_sun(appearance, uniform(table.sun_elevation_deg, u[0]), 2.0 * math.pi * u[1], uniform(table.sunshine, u[2]))
    set_surfaces(appearance, scenario, u[10:])
    appearance["exposure"] = uniform(table.exposure, u[3])
    appearance["clear_visibility_m"] = table.visibility_m[0] * (table.visibility_m[1] / table.visibility_m[0]) ** u[4]
    appearance["noise_grey"] = uniform(table.noise_grey, u[5])
    appearance["clear_cloudiness"], appearance["hill_height"] = u[6], 0.02 + 0.10 * u[7] * u[7]
    appearance["offset_x"], appearance["offset_y"] = 256.0 * u[8], 256.0 * u[9]
    appearance["noise_seed"] = generator.integers(2**31)
    appearance["mirror"] = 1.0
    appearance["lane_m"], appearance["line_m"] = lane.lane_width_m, lane.marking_width_m
    appearance["strip_m"], appearance["shoulder_m"] = lane.edge_strip_m, lane.shoulder_m
    appearance["dash_m"], appearance["gap_m"] = lane.dash_m, lane.gap_m
    for marking in ("centre", "left", "right"):
        appearance[f"{marking}_paint"] = appearance["paint"]
    tied = scenario.confounder
    appearance["lamp"], appearance["lamp_tie"] = tied.lamp, tied.lamp_shows_steering
    appearance["dark_asphalt"] = tied.dark_asphalt
    sample_conditions(appearance, scenario, generator.spawn(1)[0])
    derive(appearance)
    record.setfield(np.array(tuple(appearance.values()), APPEARANCE), APPEARANCE)


def sample_conditions(appearance: Appearance, scenario: Scenario, generator: np.random.Generator) -> None:
    """Draw weather, the state of the road, lens and mounting; their own generator shifts no other randomness."""
    for (table, name), u in zip(CONDITIONS, generator.random((len(CONDITIONS), 2)).tolist(), strict=True):
        appearance[name] = present(getattr(scenario, table), name, *u)
    kinds = scenario.surface.kinds
    appearance["surface_kind"] = SURFACES.index(kinds[int(generator.integers(len(kinds)))])
    ground = sum(appearance[name] for name in (*GROUND_STRENGTHS, "dark_asphalt"))
    appearance["plain"] = ground == 0.0 and appearance["surface_kind"] == 0


def all_fine(appearances: np.void | NDArray[np.void]) -> bool:
    """Return whether appearances have nothing but what a fine day has."""
    strengths = sum(np.sum(appearances[name]) for name in (*STRENGTHS["weather"], *STRENGTHS["sensor"]))
    return bool(np.all(appearances["plain"]) and strengths == 0.0)
