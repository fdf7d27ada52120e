"""Turns a coroutine about a federation into a test: virtual time, a look at all invariants at the end, the history on failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from federation.query.codes import Automation
from tests.support.federation import Federation, federating
from tests.support.history import History, telling
from tests.support.invariants import Watch
from tests.support.virtual_clock import VirtualLoop, run_virtual

SETTLING_S = 60.0
"""In this time the nodes learn each other's prekeys and patterns; the tests begin behind it."""


def simulated(
    *, parties: int = 3, witnesses: int = 0, seed: int = 0, automation: Automation = Automation.AUTOMATIC
) -> Callable[[Callable[[Federation], Awaitable[None]]], Callable[[], None]]:
    """Run the test with a federation of so many Parties that all have the same policy.

    Args:
        parties: how many.
        witnesses: how many of them are on witness duty from the beginning.
        seed: of everything that is left to chance.
        automation: how they answer.
    """

    def decorate(test: Callable[[Federation], Awaitable[None]]) -> Callable[[], None]:
        async def main(loop: VirtualLoop) -> None:
            history = History()
            with telling(history, seed):
                async with federating(
                    loop, seed=seed, parties=parties, witnesses=witnesses, automation=lambda _number: automation, history=history
                ) as federation:
                    watch = Watch(federation)
                    await asyncio.sleep(SETTLING_S)
                    watch.look()
                    await test(federation)
                    watch.look()

        def run() -> None:
            run_virtual(main, seed)

        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        run.__module__ = test.__module__
        return run

    return decorate
