"""A bridge over the road: two abutments whose outer ends slope to the ground, a parapet, and the deck.

Its length lies across the road, so that it throws a bar of shadow over it.  The deck leaves 4.9 m of headroom; over country
roads in Germany it is at least 4.7 m (RAL 2012).
"""

BOXES = (  # see boxes.py; drawn in this order
    (0.18, 0.5, 1.0, 0.0, 0.68, 0.0, 0.2, 142.0, 140.0, 132.0),
    (-0.5, -0.18, 1.0, 0.0, 0.68, 0.2, 0.0, 142.0, 140.0, 132.0),
    (-0.32, 0.32, 1.0, 0.86, 1.0, 0.0, 0.0, 124.0, 126.0, 128.0),
    (-0.32, 0.32, 1.0, 0.68, 0.86, 0.0, 0.0, 164.0, 161.0, 152.0),
)
