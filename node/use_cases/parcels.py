"""The desk for files that are carried: an officer's program exports one, or brings one in parts and has it taken step by step.

A file may be larger than a message between an officer's program and the node, and to take it may last longer than one call. So it
comes in parts, is put together here in memory, is verified as a whole, and is then taken some messages at a time. Nothing of that
is kept over a restart: whoever imports a file again gets the same receipts.

These calls need the right to administer. Who carries a file sees, of every officer's questions, between whom they go, when and how
large they are; nothing of that is an asking officer's business, and all of it is that of those who run the node. What the messages
say, they do not see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from federation import limits
from federation.boundary.parcels import Carried, open_parcel, verify_parcel
from federation.delivery.parcel import Parcel, RefusedEnvelope
from federation.errors import (
    Conflict,
    FederationError,
    Malformed,
    NotFound,
    Overloaded,
    Oversized,
    Unauthentic,
    UnknownParty,
)
from federation.identity import OfficerName, PartyId, message_id
from node import limits as node_limits
from node.use_cases.carrying import Carrying
from node.use_cases.carrying_values import Exported, Outcome, Step
from node.use_cases.entitlement import Entitlement
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World

_SEND_AGAIN = "run the same command again; what was taken stays taken"


@dataclass(slots=True, kw_only=True)
class _Import:
    """One file on its way in.

    Attributes:
        touched: Unix seconds of the last call about it.
        parts: as far as it has come; emptied when the file is whole.
        parcel: once it is whole and verified.
        receipts: of ours, for the messages in it that were taken; for the file that goes back.
        refusals: of ours, by the digest of what was refused; for the same.
        entries, entries_problem: what became of its directory entries.
    """

    digest: bytes
    size: int
    touched: float
    parts: bytearray = field(default_factory=bytearray)
    parcel: Parcel | None = None
    receipts: dict[bytes, None] = field(default_factory=dict)
    refusals: dict[bytes, RefusedEnvelope] = field(default_factory=dict)
    entries: int = 0
    entries_problem: str = ""


class Parcels:
    """What the servicer calls, for the own officers. The caller has verified the officer's certificate."""

    def __init__(self, *, own: Own, world: World, registry: Registry, carrying: Carrying, entitlement: Entitlement) -> None:
        self._own = own
        self._world = world
        self._registry = registry
        self._carrying = carrying
        self._may = entitlement.require
        self._imports: dict[str, _Import] = {}

    async def export_parcel(self, officer: OfficerName, party: PartyId) -> Exported:
        """Write what waits for a Party into a file; who did it is recorded under the file's id.

        Raises:
            Forbidden, UnknownParty: it may not be done, or nothing is exchanged with that Party.
        """
        parcel_id = self._carrying.new_id()
        await self._may(officer, "export_parcel", message_id=message_id(parcel_id))
        return await self._carrying.export(party, parcel_id=parcel_id)

    # --- taking a file ----------------------------------------------------------------------------------------------------------

    async def put_parcel(self, officer: OfficerName, *, digest: bytes, size: int, offset: int, part: bytes) -> None:
        """Take one part of a file; again is harmless. The first part begins anew.

        Args:
            officer: who brings it; one file of each officer at a time.
            digest: SHA-256 of the whole file.
            size: of the whole file.
            offset: of this part.
            part: at most PARCEL_PART_BYTES.

        Raises:
            Oversized: more than any file has.
            Overloaded: others import at this moment.
            Conflict: a part is missing before it.
        """
        await self._may(officer, "put_parcel")
        if size > limits.PARCEL_BYTES_MAX or len(part) > node_limits.PARCEL_PART_BYTES:
            raise Oversized(
                f"the file has {size} bytes; a parcel has at most {limits.PARCEL_BYTES_MAX}",
                hint="see whether this is the file that the other side exported",
            )
        if offset == 0:
            self._begin(officer, digest, size)
        coming = self._coming(officer, digest)
        if offset + len(part) <= len(coming.parts) and coming.parts[offset : offset + len(part)] == part:
            return
        if offset != len(coming.parts) or offset + len(part) > coming.size:
            raise Conflict("a part of the file is missing, or is not of it", hint=_SEND_AGAIN)
        coming.parts += part

    def _begin(self, officer: OfficerName, digest: bytes, size: int) -> None:
        known = self._imports.get(officer.officer_id)
        if known is not None and (known.digest, known.parcel) == (digest, None) and known.parts:
            return  # the first part once more
        now = self._world.clock.now()
        over = [one for one, its in self._imports.items() if its.touched + node_limits.PARCEL_AT_DESK_S < now]
        for officer_id in {*over, officer.officer_id}:
            self._imports.pop(officer_id, None)
        if len(self._imports) >= node_limits.PARCELS_AT_DESK_MAX:
            raise Overloaded(
                "other officers are importing files", hint="try again when they are done, in ten minutes at the latest"
            )
        self._imports[officer.officer_id] = _Import(digest=digest, size=size, touched=now)

    def _coming(self, officer: OfficerName, digest: bytes) -> _Import:
        coming = self._imports.get(officer.officer_id)
        if coming is None or coming.digest != digest:
            raise NotFound("this file is not at the desk any more", hint=_SEND_AGAIN)
        coming.touched = self._world.clock.now()
        return coming

    async def take_parcel(self, officer: OfficerName, *, digest: bytes, start: int) -> Step:
        """Take the next receipts and messages of a file that is whole, from a place in it on. It may be repeated.

        Raises:
            NotFound: it is not here any more.
            Malformed, Incompatible, Forbidden, UnknownParty, Unauthentic, Stale: nothing was taken from it.
        """
        await self._may(officer, "take_parcel")
        coming = self._coming(officer, digest)
        if coming.parcel is None:
            coming.parcel = await self._verified(coming)
            coming.parts = bytearray()
            await self._may(officer, "take_parcel", message_id=message_id(coming.parcel.parcel_id))
            self._carrying.learn(coming.parcel)
        return await self._step(coming, coming.parcel, start)

    async def _verified(self, coming: _Import) -> Parcel:
        if len(coming.parts) != coming.size or sha256(coming.parts).digest() != coming.digest:
            raise Conflict("the file has not come as a whole", hint=_SEND_AGAIN)
        carried = open_parcel(bytes(coming.parts))
        try:
            parcel = self._verify(carried)
        except (UnknownParty, Unauthentic) as refusal:
            # Its node may have a new key, of which the directory here has not heard; the entries stand on their own signatures.
            if not await self._follow(carried.parcel, coming):
                raise refusal from None
            return self._verify(carried)
        await self._follow(parcel, coming)
        return parcel

    def _verify(self, carried: Carried) -> Parcel:
        return verify_parcel(carried, roster=self._registry.roster, own=self._own.name, now=self._world.clock.now())

    async def _follow(self, parcel: Parcel, coming: _Import) -> bool:
        """Whether directory entries were taken; why not is told beside what else the file brings."""
        if parcel.log is None:
            return False
        try:
            coming.entries = await self._carrying.take_log(parcel.log)
        except FederationError as error:
            coming.entries_problem = error.message
        return coming.entries > 0

    async def _step(self, coming: _Import, parcel: Parcel, start: int) -> Step:
        """What was refused first, then receipts: they need no work, and make room."""
        peer = self._registry.peer(_party(parcel))
        refusals, receipts = len(parcel.refusals), len(parcel.receipts)
        total = refusals + receipts + len(parcel.envelopes)
        end = min(total, start + node_limits.PARCEL_ITEMS_PER_CALL)
        rows = await self._carrying.rows_for(_party(parcel)) if start < refusals + receipts else {}
        outcomes: list[Outcome] = []
        for place in range(start, end):
            if place < refusals:
                outcomes.append(await self._carrying.take_refusal(peer, parcel.refusals[place], rows))
            elif place < refusals + receipts:
                outcomes.append(await self._carrying.take_receipt(peer, parcel.receipts[place - refusals], rows))
            else:
                outcomes.append(await self._take_envelope(coming, parcel, place - refusals - receipts))
        self._carrying.learn(parcel)  # again: with a refusal the key of before was given up
        return Step(
            party=_party(parcel),
            parcel_id=parcel.parcel_id,
            created=parcel.created,
            outcomes=tuple(outcomes),
            done=max(start, end),
            total=total,
            entries=coming.entries,
            entries_problem=coming.entries_problem,
        )

    async def _take_envelope(self, coming: _Import, parcel: Parcel, place: int) -> Outcome:
        taken = await self._carrying.take_envelope(parcel.sender, parcel.envelopes[place])
        if taken.receipt:
            coming.receipts[taken.receipt] = None
        if taken.refusal is not None:
            coming.refusals[taken.refusal.digest] = taken.refusal
        return taken.outcome

    async def reply_parcel(self, officer: OfficerName, *, digest: bytes) -> Exported:
        """Write the file that goes back: the receipts for the messages of a file that was taken, and whatever waits for its sender.

        Raises:
            NotFound: the file that came is not here any more.
            Conflict: nothing of it was taken yet.
        """
        parcel_id = self._carrying.new_id()
        await self._may(officer, "reply_parcel", message_id=message_id(parcel_id))
        coming = self._coming(officer, digest)
        if coming.parcel is None:
            raise Conflict("this file was not taken yet", hint=_SEND_AGAIN)
        return await self._carrying.export(
            _party(coming.parcel),
            parcel_id=parcel_id,
            receipts=tuple(coming.receipts),
            refusals=tuple(coming.refusals.values()),
        )


def _party(parcel: Parcel) -> PartyId:
    """Whose parcel it is; only nodes of Parties pass the verification."""
    if parcel.sender.party is None:
        raise Malformed("a parcel comes from a Party's node")
    return parcel.sender.party
