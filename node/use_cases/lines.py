"""The lines to all peers, on the loop's time: which are worth trying now (`federation.delivery.line` has the rules)."""

from __future__ import annotations

import asyncio

from federation.delivery.line import Line, after_call, after_silence
from federation.errors import FederationError
from federation.identity import PartyId

_WHOLE = Line()


class SaidByPeer(Exception):  # not an error of its own: it says where one came from
    """The delivery itself failed: the peer, or the way to it, said so, and not our own disk or directory."""

    def __init__(self, error: FederationError) -> None:
        super().__init__(error.code)
        self.error = error


class Lines:
    """Kept in memory: a node that starts tries everybody once."""

    def __init__(self) -> None:
        self._lines: dict[PartyId, Line] = {}

    @property
    def broken(self) -> frozenset[PartyId]:
        """Peers that are away."""
        return frozenset(peer for peer, line in self._lines.items() if line.is_broken)

    def wait_s(self, peer: PartyId) -> float:
        """Seconds until one message may be tried; 0 when it is time, or the line is whole."""
        line = self._lines.get(peer, _WHOLE)
        return max(0.0, line.next_probe - now()) if line.is_broken else 0.0

    def is_broken(self, peer: PartyId) -> bool:
        """Whether that peer is away."""
        return self._lines.get(peer, _WHOLE).is_broken

    def silent(self, peer: PartyId, *, began: float, jitter: float) -> None:
        """A try that began then was not answered."""
        self._lines[peer] = after_silence(self._lines.get(peer, _WHOLE), began=began, now=now(), jitter=jitter)

    def called(self, peer: PartyId) -> None:
        """The peer called us."""
        if peer in self._lines:
            self._lines[peer] = after_call(self._lines[peer])

    def answered(self, peer: PartyId) -> None:
        """It was reached, whatever it said; or nothing waits for it."""
        self._lines.pop(peer, None)


def now() -> float:
    """The loop's time: it only grows."""
    return asyncio.get_running_loop().time()
