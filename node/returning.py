"""What a home's mark of a restore means to the node that starts there, of a Party and of the Secretariat alike."""

from __future__ import annotations

from pathlib import Path

from federation import limits
from federation.identity import PartyId
from federation.ports import Clock
from node.restored import Restored, read_mark, write_mark
from node.use_cases.registry import Registry
from node.use_cases.restoring import Probation, Returned


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
        mark = self._mark
        if mark is None or mark.agreed is not None:
            return None

        def settled() -> None:
            agreed = Restored(at=mark.at, taken=mark.taken, agreed=int(clock.now()))
            write_mark(self._home, agreed)
            self._mark = agreed

        return Probation(registry, own, settled)


def old_copies_in(home: Path, *, now: float) -> tuple[str, ...]:
    """Names of the copies that upgrades left more than a month ago (`node.store.schema`)."""
    copies = sorted(home.glob("*.sqlite-backup-v*"))
    return tuple(path.name for path in copies if path.stat().st_mtime + limits.STORE_COPY_KEPT_S < now)
