"""Delineator posts."""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, jit, no_refcount
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.aov import write_aov_share
from lanekeep_envs.renderer.camera import pixel_of
from lanekeep_envs.renderer.coverage import clip01
from lanekeep_envs.renderer.headlights import headlight

POSTS = int(Element.POSTS)
REFLECTOR_AT = 0.78  # height of the reflector, as a share of the post's


class PostImage(NamedTuple):
    """A post in the picture."""

    foot: float  # rows [px]
    top: float
    column: float
    scale: float  # pixels per metre
    tall: float  # [m]


@no_refcount
def draw_post(colour, aov, obj, place, appearance, lens):
    """Draw a delineator at `place` (forward, left): white, with a slanted black band and a reflector in it."""
    height, width, tall, (forward, left) = colour.shape[1], colour.shape[2], obj["height_m"], place
    foot, column, scale = pixel_of(forward, left, 0.0, lens)
    top, reach, haze = foot - tall * scale, obj["radius_m"] * scale, 1.0 - np.exp(-forward / appearance["visibility_m"])
    for i in range(max(int(top), 0), min(int(foot + 1.5), height)):
        rows = min(i + 0.5, foot) - max(i - 0.5, top)
        if rows <= 0.0:
            continue
        v = (foot - i) / (tall * scale)
        for j in range(max(int(column - reach - 1.0), 0), min(int(column + reach + 2.0), width)):
            columns = min(j + 0.5, column + reach) - max(j - 0.5, column - reach)
            cover = max(columns, 0.0) * min(rows, 1.0)
            if cover <= 0.0:
                continue
            u = (column - j) / max(reach, 1e-3)
            slant = v + (0.03 * u if left < 0.0 else -0.03 * u)
            blur = 0.5 / (tall * scale)
            band = clip01((0.10 - abs(slant - REFLECTOR_AT)) / blur * 0.5 + 0.5)
            grey = 228.0 - 196.0 * band
            if band > 0.5 and reach > 1.5 and abs(u) < 0.45 and abs(v - REFLECTOR_AT) < 0.05:
                grey = 190.0
            composite_grey(colour, i, j, grey, cover, haze, appearance)
            if aov.contributors.size > 0:
                write_aov_share(aov, i, j, POSTS, cover, forward)
    if appearance["night"] > 0.0:
        seen = headlight(forward, left)
        glint = appearance["night"] * min(60.0 * seen, 1.0) * (1.0 - haze)
        body = 150.0 * appearance["night"] * seen * (1.0 - haze)
        shine_post(colour, aov, PostImage(foot, top, column, scale, tall), body, glint)


@inline_always
def composite_grey(colour, i, j, grey, cover, haze, appearance):
    """Mix a grey surface, in half of the sunlight and behind haze, with pixel (i, j) of the picture."""
    lit = 0.8 * appearance["sunshine"]
    red = grey * (appearance["ambient_r"] + lit * appearance["sunlight_r"])
    green = grey * (appearance["ambient_g"] + lit * appearance["sunlight_g"])
    blue = grey * (appearance["ambient_b"] + lit * appearance["sunlight_b"])
    colour[0, i, j] += cover * (red + haze * (appearance["horizon_r"] - red) - colour[0, i, j])
    colour[1, i, j] += cover * (green + haze * (appearance["horizon_g"] - green) - colour[1, i, j])
    colour[2, i, j] += cover * (blue + haze * (appearance["horizon_b"] - blue) - colour[2, i, j])


@jit
def shine_post(colour, aov, post, body, glint):
    """Add the light of the headlights that a delineator throws back: its `body` a little, its reflector a `glint`."""
    height, width, foot, column = colour.shape[1], colour.shape[2], post.foot, post.column
    row, core = foot - REFLECTOR_AT * post.tall * post.scale, max(0.05 * post.scale, 0.8)
    for i in range(max(int(min(row - 3.0 * core, post.top)), 0), min(int(foot + 2.5), height)):
        rows = clip01(min(i + 0.5, foot) - max(i - 0.5, post.top))
        for j in range(max(int(column - 3.0 * core - 1.0), 0), min(int(column + 3.0 * core + 2.0), width)):
            reach, dq = 0.06 * post.scale, j - column
            columns = max(min(dq + 0.5, reach) - max(dq - 0.5, -reach), 0.0)
            square = (dq * dq + (i - row) * (i - row)) / (core * core)
            disc = clip01(1.0 - square / 9.0)
            light = body * rows * columns + 230.0 * glint * disc * disc / (1.0 + square)
            if light <= 0.0:
                continue
            colour[0, i, j] += light
            colour[1, i, j] += 0.96 * light
            colour[2, i, j] += 0.86 * light
            if aov.contributors.size > 0:
                aov.contributors[i, j] |= 1 << POSTS
