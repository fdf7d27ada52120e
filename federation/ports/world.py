"""Time and unpredictable bytes."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall clock for certificates and deadlines; timers belong to the loop."""

    def now(self) -> float:
        """Unix seconds."""


class Entropy(Protocol):
    """Unpredictable bytes; seeded in simulations."""

    def __call__(self, size: int, /) -> bytes:
        """That many bytes."""
