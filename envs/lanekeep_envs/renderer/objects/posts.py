"""Delineator posts."""

import numpy as np

from lanekeep_envs.compiled.decorators import jit, no_refcount
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.aov import write_aov_share
from lanekeep_envs.renderer.camera import pixel_of
from lanekeep_envs.renderer.coverage import clip01, shifted, vector_of
from lanekeep_envs.renderer.headlights import headlight

POSTS = int(Element.POSTS)
REFLECTOR_AT = 0.78  # height of the reflector, as a share of the post's


@no_refcount
def draw_post(colour, aov, obj, pose, appearance, lens):
    """Draw a delineator: white, with a slanted black band and a reflector in it."""
    height, width, tall, forward, left = colour.shape[1], colour.shape[2], obj["height_m"], pose.x, pose.y
    foot, column, scale = pixel_of(forward, left, 0.0, lens)
    top, reach, haze = foot - tall * scale, obj["radius_m"] * scale, 1.0 - np.exp(-forward / appearance["visibility_m"])
    light = shifted(appearance["ambient"], 0.8 * appearance["sunshine"], appearance["sunlight"])  # half of the sun's
    air = vector_of(appearance["horizon"])
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
            for c in range(3):
                lit = grey * light[c]
                colour[c, i, j] += cover * (lit + haze * (air[c] - lit) - colour[c, i, j])
            if aov.contributors.size > 0:
                write_aov_share(aov, i, j, POSTS, cover, forward)
    if appearance["night"] > 0.0:
        seen = headlight(forward, left)
        glint = appearance["night"] * min(60.0 * seen, 1.0) * (1.0 - haze)
        body = 150.0 * appearance["night"] * seen * (1.0 - haze)
        row = foot - REFLECTOR_AT * tall * scale
        shine_post(colour, aov, (foot, top, row), column, scale, body, glint)


@jit
def shine_post(colour, aov, rows, column, scale, body, glint):
    """Add the light of the headlights that a delineator throws back: its `body` a little, its reflector a `glint`.

    Its `rows` in the picture are those of foot, top and reflector, `scale` is in px/m.
    """
    height, width, core, (foot, top, row) = colour.shape[1], colour.shape[2], max(0.05 * scale, 0.8), rows
    for i in range(max(int(min(row - 3.0 * core, top)), 0), min(int(foot + 2.5), height)):
        tall = clip01(min(i + 0.5, foot) - max(i - 0.5, top))
        for j in range(max(int(column - 3.0 * core - 1.0), 0), min(int(column + 3.0 * core + 2.0), width)):
            reach, dq = 0.06 * scale, j - column
            columns = max(min(dq + 0.5, reach) - max(dq - 0.5, -reach), 0.0)
            square = (dq * dq + (i - row) * (i - row)) / (core * core)
            disc = clip01(1.0 - square / 9.0)
            light = body * tall * columns + 230.0 * glint * disc * disc / (1.0 + square)
            if light <= 0.0:
                continue
            colour[0, i, j] += light
            colour[1, i, j] += 0.96 * light
            colour[2, i, j] += 0.86 * light
            if aov.contributors.size > 0:
                aov.contributors[i, j] |= 1 << POSTS
