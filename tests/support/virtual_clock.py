"""Time that only the program moves: weeks pass in seconds, and the same program takes the same steps each time.

The loop is asyncio's own, without a selector. When nothing is ready, it moves its time to the next timer; when there is none, the
program waits for itself, and the loop says so instead of waiting with it. Threads and sockets would bring in the time and the order
of the real world, so every way to them is closed.

Wall clocks are read off the loop, each with an error of its own. Unpredictable bytes are drawn from a seed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from hashlib import shake_256
from typing import Any, NoReturn

EPOCH = 1_800_000_000.0
"""Unix seconds at which every simulation begins, in January 2027."""
STEPS_MAX = 200_000
"""Turns of the loop without any time passing: a program that takes more is going round in circles."""


class Deadlock(AssertionError):
    """Nothing is ready and no timer is set: whatever the program waits for can never come."""


class Livelock(AssertionError):
    """The program is busy for ever, and no time passes."""


class RealWorld(AssertionError):
    """The program wants a thread, a socket or a process. None of them keeps virtual time."""


class VirtualTask(asyncio.Task[Any]):
    """A task that sets keep in an order of its own making: asyncio cancels the tasks of a group in the order of a set, and by
    standard that is the order of memory addresses.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], *, loop: VirtualLoop, **named: Any) -> None:
        self._number = loop.next_number()
        super().__init__(coroutine, loop=loop, **named)

    def __hash__(self) -> int:
        return self._number


class _Leap:
    """Stands where asyncio keeps its selector: the one place in which a loop waits."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._steps = 0

    def select(self, timeout: float | None) -> list[Any]:
        """Move the time to the next timer.

        Args:
            timeout: seconds until then; None when there is neither a timer nor anything ready.
        """
        if timeout is None:
            raise Deadlock("nothing is ready and no timer is set; waiting:" + self._loop.describe_tasks())
        self._steps = self._steps + 1 if timeout == 0 else 0
        if self._steps > STEPS_MAX:
            self._steps = 0  # so that the tasks can be ended
            raise Livelock(f"{STEPS_MAX} turns without any time passing:" + self._loop.describe_tasks())
        if timeout > 0:
            self._loop.leap(timeout)
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop on virtual time, which begins at 0.

    Attributes:
        random: chances of this run; nothing else in it is left to chance.
    """

    def __init__(self, seed: int = 0) -> None:
        self._virtual_now = 0.0
        self._numbers = 0
        super().__init__()
        self.random = random.Random(seed)
        self._selector = _Leap(self)
        self._clock_resolution = 1e-6  # the sum of two floats a month from 0 is exact to a nanosecond
        self.set_task_factory(lambda _loop, coroutine, **named: VirtualTask(coroutine, loop=self, **named))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_now

    def leap(self, seconds: float) -> None:
        """Let time pass, all at once."""
        self._virtual_now += seconds

    def next_number(self) -> int:
        """Numbers tasks in the order in which they begin."""
        self._numbers += 1
        return self._numbers

    def describe_tasks(self) -> str:
        """Every task that is not done, and where it waits."""
        waiting = sorted(asyncio.all_tasks(self), key=hash)
        places = []
        for task in waiting:
            frames = task.get_stack(limit=1)
            place = f"{frames[0].f_code.co_filename}:{frames[0].f_lineno}" if frames else "not begun"
            places.append(f"\n  {task.get_coro().__qualname__} at {place}")
        return "".join(places) or " nobody"

    def _process_events(self, event_list: list[Any]) -> None:
        assert not event_list

    def _refuse(self, *_arguments: Any, **_named: Any) -> NoReturn:
        raise RealWorld("a simulation has no threads, sockets, signals or processes: stay behind the ports")

    run_in_executor = call_soon_threadsafe = getaddrinfo = getnameinfo = _refuse
    add_reader = remove_reader = add_writer = remove_writer = _refuse
    sock_recv = sock_sendall = sock_connect = sock_accept = _refuse
    create_connection = create_server = create_datagram_endpoint = create_unix_connection = create_unix_server = _refuse
    connect_read_pipe = connect_write_pipe = subprocess_shell = subprocess_exec = _refuse
    add_signal_handler = remove_signal_handler = _refuse


@contextmanager
def virtual_loop(seed: int = 0) -> Iterator[VirtualLoop]:
    """A loop for the length of a block. Nothing may outlive it: a task that does is an error of the test."""
    loop = VirtualLoop(seed)
    left: list[str] = []
    loop.set_exception_handler(lambda _loop, context: left.append(str(context.get("exception") or context["message"])))
    try:
        yield loop
        tasks = loop.describe_tasks()
        assert not asyncio.all_tasks(loop), f"tasks outlive their block:{tasks}"
    finally:
        try:
            loop.run_until_complete(_end_tasks(loop))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
    assert not left, f"errors that nobody waited for: {left}"


async def _end_tasks(loop: VirtualLoop) -> None:
    tasks = sorted(asyncio.all_tasks(loop) - {asyncio.current_task()}, key=hash)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def run_virtual(main: Callable[[VirtualLoop], Coroutine[Any, Any, Any]], seed: int = 0) -> Any:
    """Run one coroutine on a loop of its own."""
    with virtual_loop(seed) as loop:
        return loop.run_until_complete(main(loop))


class WallClock:
    """`federation.ports.Clock` on a virtual loop.

    Attributes:
        skew_s: how many seconds this clock is ahead of the right time; it may be set while the simulation runs.
    """

    def __init__(self, loop: VirtualLoop, skew_s: float = 0.0) -> None:
        self._loop = loop
        self.skew_s = skew_s

    def now(self) -> float:
        """Unix seconds."""
        return EPOCH + self._loop.time() + self.skew_s


class SeededEntropy:
    """`federation.ports.Entropy` from a seed: the same bytes in the same order, never the same twice."""

    def __init__(self, *seed: object) -> None:
        self._seed = "/".join(map(str, seed)).encode()
        self._drawn = 0

    def __call__(self, size: int) -> bytes:
        self._drawn += 1
        return shake_256(self._drawn.to_bytes(8, "big") + self._seed).digest(size)
