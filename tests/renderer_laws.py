"""Laws of a picture: that of removal, and that of the mirror."""

from collections.abc import Sequence

import numpy as np

from lanekeep_envs import Element, Frame

NAMES_EXCHANGED = np.uint64(1 << Element.LEFT_MARKING | 1 << Element.RIGHT_MARKING)


def break_of_the_law(whole: Frame, without: Frame, elements: Sequence[Element]) -> str:
    """What is wrong with a picture that elements were taken out of; empty if nothing is."""
    bits = np.uint64(sum(1 << element for element in elements))
    names = " and ".join(element.name.lower() for element in elements)
    if (without.contributors & bits).any():
        return f"{int((without.contributors & bits != 0).sum())} pixels still have the bit of {names}"
    changed = (without.image != whole.image).any(-1) & (whole.contributors & bits == 0)
    if changed.any():
        row, column = (int(index[0]) for index in np.nonzero(changed))
        before, after = whole.image[row, column].tolist(), without.image[row, column].tolist()
        return (
            f"{int(changed.sum())} pixels changed without the bit of {names}, the first of them at row {row}, column "
            f"{column}: {before} became {after}, element {whole.elements[row, column]}"
        )
    return ""


def assert_mirror_image(one: Frame, other: Frame) -> None:
    """Assert that the picture of the mirrored world is the mirror image, bit for bit."""
    assert np.array_equal(other.image, one.image[:, ::-1])
    assert np.array_equal(other.contributors & ~NAMES_EXCHANGED, one.contributors[:, ::-1] & ~NAMES_EXCHANGED)
