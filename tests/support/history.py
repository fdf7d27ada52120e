"""What happened in a simulation, line by line: the same lines for the same seed, and the end of them under a failure.

A line holds times, names, ids and sizes. It never holds anything of a ciphertext, because encryption is random in earnest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

TAIL_LINES = 60


@dataclass(slots=True)
class History:
    """Lines in the order in which things happened.

    Attributes:
        lines: all of them, or the last ones.
        count: how many there were.
    """

    lines: MutableSequence[str] = field(default_factory=list)
    count: int = 0
    _hash: Any = field(default_factory=sha256)

    @classmethod
    def short(cls, lines: int = 10_000) -> Self:
        """Of a long run, whose lines would fill the memory: only the last ones are kept."""
        return cls(lines=deque(maxlen=lines))

    def add(self, at: float, node: str, what: str, message_id: bytes = b"", size: int = 0) -> None:
        """One event.

        Args:
            at: virtual seconds.
            node: where it happened.
            what: in a few words without anything random.
            message_id: of the message that it is about.
            size: in bytes.
        """
        line = f"{at:14.3f} {node:<12} {what:<28} {message_id.hex() or '-':<32} {size or '-'}"
        self.lines.append(line)
        self.count += 1
        self._hash.update(line.encode() + b"\n")

    def digest(self) -> str:
        """Two histories with one digest are the same."""
        return str(self._hash.hexdigest())

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines."""
        return "\n".join(list(self.lines)[-lines:])


@contextmanager
def telling(history: History, seed: int) -> Iterator[None]:
    """Let a failure say with which seed it can be had again, and what happened before it."""
    try:
        yield
    except BaseException as failure:
        failure.add_note(f"\nseed {seed}: it happens again with the same seed; the end of its history:\n{history.tail()}")
        raise
