"""What a home's mark of a restore means to the node that starts there, of a Party and of the Secretariat alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from federation.identity import PartyId
from federation.ports import Clock
from node import limits
from node.restored import Restored, read_mark, write_mark
from node.use_cases.registry import Registry
from node.use_cases.restoring import Probation, Returned

WATCH_S: Final = 1.0
"""How often it is asked whether peers agree: nobody waits for it but the doctor."""


class Mark:
    """The mark as it stands in the folder now."""

    def __init__(self, home: Path, mark: Restored | None) -> None:
        self._home = home
        self._mark = mark

    @classmethod
    def in_home(cls, home: Path) -> Mark:
        """Read the mark of a folder.

        Raises:
            InvalidConfiguration: there is one that cannot be read.
        """
        return cls(home, read_mark(home))

    @property
    def returned(self) -> Returned | None:
        """When the node was put back; None when it never was."""
        mark = self._mark
        return Returned(at=mark.at, taken=mark.taken, agreed=mark.agreed) if mark is not None else None

    def probation(self, registry: Registry, own: PartyId | None, clock: Clock) -> Probation | None:
        """Of a node that was put back and with which its peers have not agreed yet."""
        if not self.is_open:
            return None
        return Probation(registry, own, lambda: self._settle(int(clock.now())))

    @property
    def is_open(self) -> bool:
        """Whether peers have yet to agree."""
        return self._mark is not None and self._mark.agreed is None

    async def watch(self, restored: Callable[[], Awaitable[bool]], clock: Clock) -> None:
        """Write down that peers have agreed, once the witness of this node goes by it."""
        while self.is_open:
            if await restored():
                await asyncio.sleep(WATCH_S)
            else:
                self._settle(int(clock.now()))

    def _settle(self, now: int) -> None:
        assert self._mark is not None  # or nothing is open
        agreed = Restored(at=self._mark.at, taken=self._mark.taken, agreed=now)
        write_mark(self._home, agreed)
        self._mark = agreed


def old_copies_in(home: Path, *, now: float) -> tuple[str, ...]:
    """Names of the copies that upgrades left more than a month ago (`node.store.schema`)."""
    copies = sorted(home.glob("*.sqlite-backup-v*"))
    return tuple(path.name for path in copies if path.stat().st_mtime + limits.STORE_COPY_KEPT_S < now)
