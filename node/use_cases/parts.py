"""What one Party's node is made of, and what it is when it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from federation import limits
from federation.ports import (
    ArrivalStore,
    DirectoryService,
    ExchangeStore,
    JournalStore,
    NoticeService,
    NoticeStore,
    OutboxStore,
    PatternStore,
    Peer,
    PeerStore,
    ReconcileService,
    ReconcileStore,
    RetentionStore,
    TimelineStore,
    Transport,
    WitnessStore,
)
from federation.query.policy import Policy
from federation.uim.pattern import PatternSet
from node import limits as node_limits
from node.trace.ports import TraceStore
from node.use_cases.accounting import Accounting
from node.use_cases.announcing import Particulars
from node.use_cases.answering import Answering
from node.use_cases.asking import Asking
from node.use_cases.attachment_desk import OwnAttachmentDesk
from node.use_cases.attachments import AttachmentPorts, Attachments
from node.use_cases.auditing import Auditing
from node.use_cases.desk import OwnDesk
from node.use_cases.diagnosis import Facts
from node.use_cases.exchange import Exchange
from node.use_cases.held import Held
from node.use_cases.keyring import Keyring
from node.use_cases.library import Patterns
from node.use_cases.notices import Notices
from node.use_cases.offering import Offering
from node.use_cases.outbox import Outbox
from node.use_cases.own_keys import OwnKeys
from node.use_cases.parcels import Parcels
from node.use_cases.peer_book import PeerBook
from node.use_cases.personnel import OfficerParts, Personnel
from node.use_cases.reconciling import Reconciling
from node.use_cases.registry import Registry
from node.use_cases.repository import Repository
from node.use_cases.retention import Retention
from node.use_cases.spool_sweep import SpoolSweep
from node.use_cases.witnessing import Witness
from node.use_cases.world import Own, World

WITNESS_PAUSE_S: Final = 1.0
"""A witness looks so often for what waits for it: the whole treaty waits with whoever has just written an entry."""
HOUSEKEEPING_S: Final = 5.0
"""Deadlines, prekeys and patterns are looked at this often: an officer notices seconds, not more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a node is made of.

    Attributes:
        telling: how proofs and revocations go from node to node.
        witness_store, notice_store: what this node said and heard about the log.
        secretariat: where the log is followed; None when there is nobody to follow.
        sets: pattern sets that this node answers with.
        reference: published sets of markings whose issuers publish none.
        says: what the settings say of the Party now; None where there are none.
        book: what was seen of other Parties' nodes, filled by whatever talks to them.
        housekeeping_s: how long a node rests between two looks at deadlines, prekeys, patterns and the log.
        witness_pause_s: how long one on witness duty rests between two looks at what waits for it.
        reconcile_pause_s: how long a node rests between two looks at which peers it has to ask for their accounts.
        retention_s: how long messages and records are kept.
    """

    own: Own
    world: World
    version: str
    exchange_store: ExchangeStore
    outbox_store: OutboxStore
    arrivals: ArrivalStore
    journal: JournalStore
    timeline: TimelineStore
    peer_store: PeerStore
    attachments: AttachmentPorts
    pattern_store: PatternStore
    trace: TraceStore
    registry: Registry
    transport: Transport
    directory: DirectoryService
    telling: NoticeService
    witness_store: WitnessStore
    notice_store: NoticeStore
    secretariat: Peer | None
    sets: Sequence[PatternSet]
    reference: Sequence[PatternSet]
    policy: Policy
    own_keys: OwnKeys
    facts: Callable[[], Facts]
    reconcile_store: ReconcileStore
    reconciliation: ReconcileService
    retention_store: RetentionStore
    officers: OfficerParts
    says: Callable[[], Particulars | None] = lambda: None
    book: PeerBook = field(default_factory=PeerBook)
    housekeeping_s: float = HOUSEKEEPING_S
    witness_pause_s: float = WITNESS_PAUSE_S
    reconcile_pause_s: float = node_limits.RECONCILE_LOOK_S
    retention_s: int = limits.RETENTION_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A running node's use cases."""

    exchange: Exchange
    desk: OwnDesk
    outbox: Outbox
    patterns: Patterns
    registry: Registry
    keyring: Keyring
    asking: Asking
    answering: Answering
    repository: Repository
    notices: Notices
    witness: Witness
    personnel: Personnel
    parcels: Parcels
    accounting: Accounting
    reconciling: Reconciling
    auditing: Auditing
    attachments: Attachments
    offering: Offering
    attachment_desk: OwnAttachmentDesk
    sweep: SpoolSweep
    held: Held
    retention: Retention

    async def know(self, sets: Sequence[PatternSet]) -> None:
        """Answer with other sets from now on, and keep them where others can fetch them."""
        await self.patterns.publish(sets)
        self.repository.know(sets)
