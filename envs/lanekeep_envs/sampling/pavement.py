"""Albedo of the road by its kind of pavement: the law, and its inverse for interventions that set the road's colour."""

from lanekeep_envs.compiled.decorators import inline_always
from lanekeep_envs.sampling.appearance import RGB, SURFACES

CONCRETE, COBBLES = SURFACES.index("concrete"), SURFACES.index("cobbles")


@inline_always
def surface_colour(asphalt: RGB, kind: int) -> RGB:
    """Albedo of the road: pale concrete or grey stones, the darker the darker the asphalt would have been."""
    if kind == CONCRETE:
        return (74.0 + 0.72 * asphalt[0], 70.0 + 0.72 * asphalt[1], 60.0 + 0.72 * asphalt[2])
    if kind == COBBLES:
        return (10.0 + 1.1 * asphalt[0], 5.0 + 1.1 * asphalt[1], 1.0 + 1.1 * asphalt[2])
    return asphalt


def asphalt_for(colour: RGB, kind: int) -> RGB:
    """Return the asphalt whose place a road of this colour takes."""
    none, one = surface_colour((0.0, 0.0, 0.0), kind), surface_colour((1.0, 1.0, 1.0), kind)
    red, green, blue = ((c - low) / (high - low) for c, low, high in zip(colour, none, one, strict=True))
    return red, green, blue
