"""Rows and files of attachments in memory, with no patience for callers who break the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from federation.delivery.attachment import AttachmentState, Place, Spooled
from federation.delivery.direction import Direction
from federation.errors import Misuse, NotFound
from federation.identity import MessageId, PartyId
from federation.ports import AttachmentStore, Spool, SpoolFile, Usage
from tests.support.faults import Faults, may_fail

OPEN = {AttachmentState.WAITING, AttachmentState.ARRIVED}


class MemoryAttachments(AttachmentStore):
    faults: Faults

    def __init__(self) -> None:
        self._attachments: dict[Place, Spooled] = {}

    def _put_attachments(self, rows: Sequence[Spooled], leaf: int) -> None:
        for row in rows:
            lacks = row.state is AttachmentState.ARRIVED and row.leaf < 0
            self._attachments[row.place] = replace(row, leaf=leaf) if lacks else row

    def _accuse_attachments(self, rows: Sequence[Spooled]) -> None:
        for row in rows:
            known = self._attachments.get(row.place)
            if known is None:
                continue
            assert (known.named, known.peer, known.since) == (row.named, row.peer, row.since), "a file becomes another one"
            assert row.leaf >= known.leaf, "a file forgets its record in the journal"
            assert known.receipt is None or row.receipt == known.receipt, "a file forgets its receipt"

    @may_fail
    async def attachment(self, place: Place) -> Spooled | None:
        return self._attachments.get(place)

    @may_fail
    async def attachments(self, direction: Direction, message_id: MessageId) -> tuple[Spooled, ...]:
        return tuple(one for one in self._attachments.values() if (one.direction, one.message_id) == (direction, message_id))

    @may_fail
    async def attachments_due(self, *, now: float, rows: int) -> tuple[Spooled, ...]:
        taken: dict[PartyId, int] = {}
        due: list[Spooled] = []
        waiting = [one for one in self._attachments.values() if one.state in OPEN and one.next_attempt <= now]
        for one in sorted(waiting, key=lambda one: one.next_attempt):
            taken[one.peer] = taken.get(one.peer, 0) + 1
            if taken[one.peer] <= rows:
                due.append(one)
        return tuple(due)

    @may_fail
    async def attachments_next_due(self) -> float | None:
        return min((one.next_attempt for one in self._attachments.values() if one.state in OPEN), default=None)

    @may_fail
    async def attachments_kept(self, *, after: Place | None, rows: int) -> tuple[Spooled, ...]:
        places = sorted(place for place, one in self._attachments.items() if one.state is not AttachmentState.GONE)
        return tuple(self._attachments[place] for place in places if after is None or place > after)[:rows]

    @may_fail
    async def attachments_usage(self, peer: PartyId, *, since: int) -> Usage:
        spooled = day_bytes = day_files = 0
        for one in self._attachments.values():
            if one.state is AttachmentState.WAITING or one.state is AttachmentState.GONE:
                continue
            spooled += one.named.size
            if one.peer == peer and one.direction is Direction.RECEIVED and one.changed >= since:
                day_bytes, day_files = day_bytes + one.named.size, day_files + 1
        return Usage(spooled=spooled, day_bytes=day_bytes, day_files=day_files)


class MemorySpool(Spool):
    """Files that survive a crash of the node; `free` is what the disk has left."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults if faults is not None else Faults()
        self.partial: dict[str, bytearray] = {}
        self.whole: dict[str, bytes] = {}
        self.free = 2**40

    @may_fail
    async def size(self, file: str, *, settled: bool) -> int | None:
        found = self.whole.get(file) if settled else self.partial.get(file)
        return len(found) if found is not None else None

    @may_fail
    async def write(self, file: str, offset: int, data: bytes) -> None:
        part = self.partial.setdefault(file, bytearray())
        if len(part) < offset:
            raise Misuse("a piece of a file is put behind the end of it")
        part[offset:] = data

    @may_fail
    async def settle(self, file: str) -> None:
        if file in self.partial:
            self.whole[file] = bytes(self.partial.pop(file))
        elif file not in self.whole:
            raise NotFound("a file is to be settled that is not there")

    @may_fail
    async def read(self, file: str, offset: int, length: int, *, settled: bool) -> bytes:
        found = self.whole.get(file) if settled else self.partial.get(file)
        if found is None:
            raise NotFound("a file is not here any more")
        return bytes(found[offset : offset + length])

    @may_fail
    async def remove(self, file: str) -> None:
        self.partial.pop(file, None)
        self.whole.pop(file, None)

    @may_fail
    async def files(self) -> tuple[SpoolFile, ...]:
        settled = [SpoolFile(name=name, size=len(data), settled=True) for name, data in self.whole.items()]
        partial = [SpoolFile(name=name, size=len(data), settled=False) for name, data in self.partial.items()]
        return tuple(sorted(settled + partial, key=lambda file: file.name))

    @may_fail
    async def free_bytes(self) -> int:
        return self.free
