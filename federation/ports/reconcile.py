"""What a node keeps of its reconciling with others, what it erases at the end of retention, and how it asks others for accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from federation.delivery.receipt import SignedReceipt
from federation.evidence.account import Crossed, DifferenceKind, Judgement, SignedTelling, Way
from federation.identity import MessageId, PartyId
from federation.ports.transport import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far this node is with one peer. Times are Unix seconds.

    Attributes:
        visited: when an account of it was judged last; 0 before the first.
        account: the newest one that was judged good; None before.
        problem: why the last try brought none, as an error code, or empty.
        failing_since: when the tries began to fail; 0 when the last one did not.
        open_day: the oldest day that has to be compared, None when there is none. The store finds it; it is not put.
    """

    peer: PartyId
    visited: int = 0
    account: SignedTelling | None = None
    problem: str = ""
    failing_since: int = 0
    open_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedDay:
    """What both sides told of one day: how many messages this node sent and they have, and how many came and they sent.

    Attributes:
        compared: Unix seconds.
        agreed: whether nothing differs but what is under way.
    """

    day: int
    compared: int
    agreed: bool
    sent: int
    they_have: int
    received: int
    they_sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something about one message in which both sides differ. It is never removed before the end of retention.

    Attributes:
        found, healed: Unix seconds; `healed` is 0 while the sides differ.
        evidence: the signed listing in which it was found.
    """

    kind: DifferenceKind
    message_id: MessageId
    day: int
    found: int
    evidence: SignedTelling
    healed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A peer's journal contradicts what that peer signed before.

    Attributes:
        epoch, size: of the checkpoint that is contradicted.
        found: Unix seconds.
        proof: an encoded contradiction, for anybody.
    """

    judgement: Judgement
    epoch: int
    size: int
    found: int
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What one visit changes; a part of `Change`, so that it is one commit with the journal.

    Attributes:
        standing: of the peer, replacing what was there.
        days: what was compared, replacing what was there.
        reopen_all: every day has to be compared again, because one of the two was put back from a backup.
        proved: messages whose receipts agree with the peer's journal.
        differences, alarms: put; one that is there keeps the time when it was found. An alarm stays for ever.
    """

    standing: Standing
    days: tuple[ComparedDay, ...] = ()
    reopen_all: bool = False
    proved: tuple[MessageId, ...] = ()
    differences: tuple[Difference, ...] = ()
    alarms: tuple[Alarm, ...] = ()


class ReconcileStore(Protocol):
    """What crossed, by day, and what was found when it was compared; written through `ExchangeStore.commit`, but for the sorting. Same
    durability and trust as that store.
    """

    async def sort_crossings(self, *, rows: int) -> int:
        """Put newly written crossings and receipts under their days, at most so many; gives how many it took. A day that
        gets another message or receipt has to be compared again.
        """

    async def tallied(self, peer: PartyId, day: int, way: Way, *, after: bytes, rows: int) -> tuple[Crossed, ...]:
        """Messages of a day that crossed one way, behind that id, in the order of their ids."""

    async def open_days(self, peer: PartyId, *, since: int, before: int, rows: int) -> tuple[int, ...]:
        """Days from the first number to the day before the second that have to be compared: those first that were not for longest, and
        of these the oldest.
        """

    async def unproved(self, peer: PartyId, *, rows: int) -> tuple[tuple[MessageId, SignedReceipt], ...]:
        """The peer's receipts that its journal was not held against yet, in the order of the messages."""

    async def head(self, size: int) -> bytes:
        """The root that the own journal had at that size, computed from the salt and content of its last record then, where those
        are there; empty when it cannot be shown.
        """

    async def standings(self) -> tuple[Standing, ...]:
        """Of every Party with which something crossed or was compared, by name."""

    async def findings(self, peer: PartyId) -> tuple[tuple[ComparedDay, ...], tuple[Difference, ...], tuple[Alarm, ...]]:
        """The newest compared days, differences and alarms of a peer, the newest first, at most FINDINGS_ROWS_MAX of each; of
        differences those first that are not healed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """What a peer gave back: its signed account, and a consistency proof for each head in it. Not yet verified."""

    account: bytes
    proofs: tuple[tuple[bytes, ...], ...]


class ReconcileService(Protocol):
    """Accounts from node to node. Calls are repeatable. Not trusted, as `Transport`. A node of an older version does not know them and
    says so (Incompatible).
    """

    async def reconcile(self, peer: Peer, account: bytes, sizes: Sequence[int]) -> Accounted:
        """Hand over the own signed account; get the peer's about the same days, and about those sizes of its journal."""

    async def list_day(self, peer: Peer, *, day: int, way: Way, after: bytes) -> bytes:
        """The peer's signed listing of a day, as the peer sees the way."""
