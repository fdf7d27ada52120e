"""Bugs that are planted on purpose, to see that the watch finds them and that the schedule that shows them is cut down. They live in
what stands for the world, never in the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from federation.ports import Change, Crossing, Direction
from tests.support.memory_stores import MemoryExchange


@contextmanager
def _forgetful_replay_table() -> Iterator[None]:
    """A receiver that forgets what it has seen: the mark, and the record that would give it away."""
    apply, commit = MemoryExchange._apply, MemoryExchange.commit

    def forget(self: MemoryExchange, change: Change, crossings: list[Crossing]) -> Any:
        return apply(self, replace(change, marks=()), crossings)

    with patch.object(MemoryExchange, "_apply", forget), patch.object(MemoryExchange, "commit", commit):
        yield


@contextmanager
def _drops_what_is_retried() -> Iterator[None]:
    """A sender that gives up: what could not be delivered at the third try leaves the outbox."""
    apply = MemoryExchange._apply

    def drop(self: MemoryExchange, change: Change, crossings: list[Crossing]) -> Any:
        positions = apply(self, change, crossings)
        for outgoing in change.outgoing:
            sent = self._crossings.get((Direction.SENT, outgoing.message_id))
            if outgoing.attempts >= 3 and sent is not None:
                self._outgoing.pop(outgoing.message_id, None)
        return positions

    with patch.object(MemoryExchange, "_apply", drop):
        yield


PLANTED: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "": nullcontext,
    "forgetful-replay-table": _forgetful_replay_table,
    "drops-what-is-retried": _drops_what_is_retried,
}


def planted(name: str) -> AbstractContextManager[None]:
    """For the length of a block, the bug of that name."""
    return PLANTED[name]()
