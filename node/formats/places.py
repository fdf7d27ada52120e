"""Where something is in a picture: four corners in pixels, in clockwise order from the top left of the symbol itself."""

from __future__ import annotations

from typing import TypeAlias

Corners: TypeAlias = tuple[tuple[int, int], ...]


def overlap(one: Corners, other: Corners) -> bool:
    """The middle of one lies in the other: enough to tell that two readers mean the same symbol."""
    return _holds(other, _middle(one)) or _holds(one, _middle(other))


def frame(corners: Corners) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is around them."""
    across, down = zip(*corners, strict=True)
    return min(across), min(down), max(across), max(down)


def _middle(corners: Corners) -> tuple[float, float]:
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


def _holds(corners: Corners, point: tuple[float, float]) -> bool:
    """The point is on the same side of all edges."""
    sides = {
        (second[0] - first[0]) * (point[1] - first[1]) - (second[1] - first[1]) * (point[0] - first[0]) >= 0
        for first, second in zip(corners, (*corners[1:], corners[0]), strict=True)
    }
    return len(sides) == 1
