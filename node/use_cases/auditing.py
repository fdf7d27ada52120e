"""The Party's auditor: looks through the journal, a page at a time, and every search is itself written down.

The journal is read from its end. A search by time begins where the time begins (records stand in the order of the node's clock, but for
a day by which the clock may have been put back), and each call reads so many records and no more. What the record does not say, the
officer, the state, the reference, a code, is read from the message that it is about. There is no index of codes: it would be a second
place that tells which codes a Party asked about, it would have to be erased in step with what it points at, and audits are rare
(docs/adr/0026).
"""

from __future__ import annotations

from dataclasses import replace

from federation import limits
from federation.errors import Conflict, Forbidden, Unauthentic
from federation.evidence.journal import JournalKind, JournalRecord, origin
from federation.identity import MessageId, OfficerName
from federation.ports import AskedQuery, Crossing, Direction, ExchangeStore, JournalStore, ReceivedQuery
from federation.query.query import Query
from federation.trust import keys
from federation.wire.envelope import decode_statement
from federation.wire.evidence import decode_record
from federation.wire.query import decode_body
from node import limits as node_limits
from node.use_cases.audit_values import AuditRow, Closing, Found, Search, chained, own_name, read_closing, sign_closing
from node.use_cases.entitlement import Entitlement
from node.use_cases.world import Own, World

_NO_ROWS = bytes(32)
_VEIL_BYTES = 16
_THEIRS_FIRST = frozenset({JournalKind.RECEIVED, JournalKind.DECIDED})
"""Records about what came in; the others are about what went out, or about either."""


class Auditing:
    """Searches of one node's journal."""

    def __init__(self, *, own: Own, world: World, store: ExchangeStore, journal: JournalStore, entitlement: Entitlement) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._journal = journal
        self._entitlement = entitlement

    async def audit(self, officer: OfficerName, search: Search) -> Found:
        """Begin a search: write down that it is made, and give its first page.

        Raises:
            Forbidden: without the right.
            StoreUnavailable: it cannot be written down now, and is not made.
        """
        known = await self._entitlement.require(officer, "audit")
        await self._entitlement.note(known, "audit", search.words(self._veil))
        frontier = await self._journal.frontier()
        begun = Closing(
            node=own_name(self._own.name),
            officer_id=officer.officer_id,
            began=self._world.now(),
            search=search,
            rows=0,
            digest=_NO_ROWS,
            erased=0,
            next=await self._last_before(search.until, frontier.size),
            journal=origin(self._own.name.dns, self._own.epochs[-1].number),
            size=frontier.size,
            root=frontier.root(),
        )
        return await self._page(begun)

    async def audit_on(self, officer: OfficerName, closing: bytes) -> Found:
        """The next page of a search, from the closing line of the page before. It may be repeated.

        Raises:
            Unauthentic: a closing line that this node did not sign, or not with the key of now.
            Forbidden: somebody else's search; without the right.
            Conflict: it is done, or began more than a day ago.
        """
        await self._entitlement.require(officer, "audit_on")
        try:
            so_far = read_closing(closing, node=own_name(self._own.name), public_key=self._own.signer.public_key)
        except Unauthentic:
            raise Unauthentic("this node does not know that search", hint="begin it anew") from None
        if so_far.officer_id != officer.officer_id:
            raise Forbidden("this is the search of another officer", hint="begin your own")
        if so_far.is_complete or self._world.now() - so_far.began > node_limits.AUDIT_LIFE_S:
            raise Conflict("this search is at its end", hint="begin it anew")
        return await self._page(so_far)

    def _veil(self, value: str) -> str:
        """Whoever knows the value can see that it was looked for; whoever does not, cannot find it out."""
        salt = self._world.entropy(_VEIL_BYTES)
        return f"{salt.hex()}:{keys.digest('gsp/v1/audit-veil', salt, value.encode())[:_VEIL_BYTES].hex()}"

    async def _page(self, so_far: Closing) -> Found:
        search, position, erased = so_far.search, so_far.next, so_far.erased
        rows: list[AuditRow] = []
        end = max(position - node_limits.AUDIT_RECORDS_PER_CALL, -1)
        while position > end and len(rows) < limits.PAGE_ROWS_MAX:
            record = await self._record(position)
            if record is None:
                erased += 1
            elif record.at < search.since - node_limits.AUDIT_CLOCK_BACK_S:
                position = -1
                break
            elif (row := await self._row(position, record, search)) is not None:
                rows.append(row)
            position -= 1
        closing = replace(
            so_far,
            rows=so_far.rows + len(rows),
            digest=chained(so_far.digest, rows),
            erased=erased,
            next=position,
        )
        return Found(rows=tuple(rows), closing=sign_closing(closing, self._own.signer))

    async def _record(self, position: int) -> JournalRecord | None:
        leaf = await self._journal.leaf(position)
        return decode_record(leaf.content) if leaf is not None else None

    async def _last_before(self, until: int, size: int) -> int:
        """The position from which to look downwards for what was written before a time. What was erased is older than what was not."""
        latest, least, most = until + node_limits.AUDIT_CLOCK_BACK_S, 0, size
        while least < most:
            middle = (least + most) // 2
            record = await self._record(middle)
            if record is None or record.at < latest:
                least = middle + 1
            else:
                most = middle
        return least - 1

    async def _row(self, position: int, record: JournalRecord, search: Search) -> AuditRow | None:
        """The row, when it is one of those that are looked for."""
        if not search.since <= record.at < search.until or (search.peer and search.peer != record.peer):
            return None
        if search.kind and search.kind != record.kind:
            return None
        crossing = await self._crossing(record)
        if crossing is None and search.asks_of_the_message:
            return None
        bare = AuditRow(
            position=position,
            at=record.at,
            kind=str(record.kind),
            peer=record.peer,
            note=record.note,
            digest=record.digest.hex(),
            message_id=record.message_id.hex() if record.kind is not JournalKind.EPOCH else "",
        )
        row = await self._with_message(bare, crossing) if crossing is not None else bare
        if (search.officer_id, search.state, search.reference) != (
            search.officer_id and row.officer_id,
            search.state and row.state,
            search.reference and row.reference,
        ):
            return None
        if search.code and crossing is not None and not await self._is_about(crossing.conversation, search.code):
            return None
        return row

    async def _crossing(self, record: JournalRecord) -> Crossing | None:
        """The message that a record is about."""
        order = [Direction.SENT, Direction.RECEIVED]
        for direction in reversed(order) if record.kind in _THEIRS_FIRST else order:
            crossing = await self._store.crossing(direction, record.message_id)
            if crossing is not None:
                return crossing
        return None

    async def _with_message(self, row: AuditRow, crossing: Crossing) -> AuditRow:
        statement = decode_statement(crossing.statement)
        query = await self._query(crossing.conversation)
        return replace(
            row,
            query_id=crossing.conversation.hex(),
            officer_id=statement.officer_id or "",
            direction="" if query is None else "asked" if isinstance(query, AskedQuery) else "received",
            state=str(query.state) if query is not None else "",
            reference=query.reference if isinstance(query, AskedQuery) else "",
            codes=query.codes if query is not None else 0,
        )

    async def _query(self, query_id: MessageId) -> AskedQuery | ReceivedQuery | None:
        return await self._store.asked(query_id) or await self._store.received(query_id)

    async def _is_about(self, query_id: MessageId, code: str) -> bool:
        for direction in Direction:
            crossing = await self._store.crossing(direction, query_id)
            if crossing is not None:
                content, _ = decode_body(crossing.body)
                return isinstance(content, Query) and any(code in {one.key, one.scan} for one in content.codes)
        return False
