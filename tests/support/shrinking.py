"""Cuts a list of events down to a shortest one that still does the same: delta debugging (Zeller and Hildebrandt, 2002)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
RUNS_MAX = 200
"""A run of a small schedule takes a second, so that nobody waits longer than some minutes."""


class _Budget:
    """A question that is asked so many times, and never twice about the same items."""

    def __init__(self, fails: Callable[[Sequence[Item]], bool], runs_max: int) -> None:
        self._fails = fails
        self._known: dict[tuple[int, ...], bool] = {}
        self.left = runs_max

    def fails(self, items: Sequence[Item], kept: tuple[int, ...]) -> bool:
        """Whether what is kept of the items still fails; False without asking when the budget is spent."""
        if kept not in self._known and self.left > 0:
            self.left -= 1
            self._known[kept] = self._fails([items[place] for place in kept])
        return self._known.get(kept, False)


def shortened(items: Sequence[Item], fails: Callable[[Sequence[Item]], bool], *, runs_max: int = RUNS_MAX) -> list[Item]:
    """The shortest part of the items, in their order, that was found to fail.

    Nothing can be left out of it without it passing, unless the runs did not suffice.

    Args:
        items: a list that fails.
        fails: whether a part of it does.
        runs_max: how often that is asked.
    """
    budget = _Budget(fails, runs_max)
    kept, parts = tuple(range(len(items))), 2
    while len(kept) > 1 and budget.left > 0:
        size = -(-len(kept) // parts)
        chunks = [kept[start : start + size] for start in range(0, len(kept), size)]
        smaller = _smaller(items, kept, chunks, budget)
        if smaller is not None:
            kept, parts = smaller, max(2, parts - 1) if len(smaller) > size else 2
        elif parts >= len(kept):
            break
        else:
            parts = min(len(kept), 2 * parts)
    return [items[place] for place in kept]


def _smaller(
    items: Sequence[Item], kept: tuple[int, ...], chunks: Sequence[tuple[int, ...]], budget: _Budget
) -> tuple[int, ...] | None:
    """One chunk alone that fails, or everything without one chunk."""
    for chunk in chunks:
        if len(chunks) > 1 and budget.fails(items, chunk):
            return chunk
    for chunk in chunks if len(chunks) > 2 else ():
        rest = tuple(place for place in kept if place not in set(chunk))
        if budget.fails(items, rest):
            return rest
    return None
