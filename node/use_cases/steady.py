"""A clock for what cannot be undone: keys that are destroyed, queries that expire, messages that are dropped.

The wall clock may be set, rightly or wrongly. The machine's own timer cannot, so it tells that it was. A clock that went back destroys
nothing early and is believed. One that jumped ahead is not believed for such steps until other nodes' clocks agree with it, or until
CLOCK_HOLD_S has passed: then it is right, or nobody is there to say so. Meanwhile time goes on at the timer's pace from where it was.
Everything that can be undone goes by the wall clock. A node that *starts* with a wrong clock has nothing to compare it with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from federation.ports import Clock
from node import limits as node_limits
from node.use_cases.peer_clocks import PeerClocks


class Steady(Clock):
    """Looked at every few seconds: what the wall clock gains on the timer between two looks, it did not gain by itself."""

    def __init__(self, clock: Clock, *, clocks: Callable[[], PeerClocks]) -> None:
        self._clock = clock
        self._clocks = clocks
        self._wall = clock.now()
        self._timer = _timer()
        self._jumped: tuple[float, float] | None = None

    def now(self) -> float:
        """Unix seconds; never ahead of a clock that is right, as long as the timer is."""
        wall, timer = self._clock.now(), _timer()
        believed = self._wall + timer - self._timer
        if wall - believed > node_limits.CLOCK_JUMP_S:
            self._jumped = self._jumped or (wall, timer)
            if not self._is_confirmed(*self._jumped, timer):
                return believed
        self._jumped = None
        self._wall, self._timer = wall, timer
        return wall

    def _is_confirmed(self, jumped_wall: float, jumped_timer: float, timer: float) -> bool:
        return timer - jumped_timer > node_limits.CLOCK_HOLD_S or self._clocks().confirm(since=jumped_wall)


def _timer() -> float:
    return asyncio.get_running_loop().time()
