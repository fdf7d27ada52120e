"""What the desk says to an officer and what an officer says to the desk, as values.

The same use cases stand behind gRPC (command line, integrations) and, later, behind the web console. An officer's key never comes
to the node: the node prepares a statement, the officer's own program checks and signs it, and the node sends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from federation.delivery.outbox import Outgoing
from federation.envelope.attachment import AttachmentId
from federation.evidence.bundle import Disclosure
from federation.identity import MessageId, OfficerName, PartyId
from federation.ports import AskedQuery, ReceivedQuery
from federation.query.answer import Answer
from federation.query.codes import Automation, HandlingCode, Purpose, Urgency
from federation.query.items import Item
from federation.query.query import CodeAsked, Query
from federation.uim.clues import NO_CLUES, Clues
from federation.uim.library import Candidate
from federation.uim.scan import Scan
from node.use_cases.why_values import Explanation, PeerView


class Membership(StrEnum):
    """What the accepted directory says of the Party that a pattern names."""

    PARTY = "party"
    NOT_A_PARTY = "not-a-party"
    NO_NODE = "no-node"
    """It is a Party and has neither a node nor a region that answers for it."""
    OWN = "own"
    """It is the officer's own Party: nothing is asked through the federation."""
    UNKNOWN = "unknown"
    """There is no directory at hand to say: a scan was resolved without a node. The desk never gives it."""


class Standing(StrEnum):
    """What an officer should know of a Party before asking it. A Party with none of these is active and confirmed."""

    PILOT = "pilot"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedParty:
    """One candidate with what the roster says of it.

    Attributes:
        responder: the Party whose node answers: itself, or the region that holds its mandate; None when nobody does.
        responder_name: in words, or empty.
        standing: of the Party that the pattern names.
        responder_standing: of the Party that answers; empty when that is the same one.
    """

    candidate: Candidate
    membership: Membership
    party_name: str
    responder: PartyId | None
    responder_name: str
    standing: frozenset[Standing] = frozenset()
    responder_standing: frozenset[Standing] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A scan, and who may be able to answer, most likely first. Empty when no pattern knows the code."""

    scan: Scan
    parties: tuple[RankedParty, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an officer wants to ask one Party. The node adds ids, times and the reply key.

    Attributes:
        deadline_s: seconds from now within which an answer is wanted.
        unconfirmed_consent: the officer knows that too few other Parties have confirmed the Party's keys yet, and asks all the same.
        attachments: files that were brought to the node before.
    """

    party: PartyId
    codes: tuple[CodeAsked, ...]
    items: frozenset[Item]
    purpose: Purpose
    necessity: str
    handling: HandlingCode
    urgency: Urgency
    reference: str
    deadline_s: int
    unconfirmed_consent: bool = False
    market_statement: str = ""
    attachments: tuple[AttachmentId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the officer signs: exact bytes.

    The officer's program checks that the body says what was meant, and that the statement names the body's digest.
    """

    message_id: MessageId
    statement: bytes
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One answer that came, verified.

    Attributes:
        sender: the Party over whose signature it stands.
        officer_id: the opaque id of the officer who signed it; None when a policy answered.
        received: Unix seconds.
    """

    message_id: MessageId
    sender: PartyId
    officer_id: str | None
    received: int
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryView:
    """An asked query with all there is to say of it.

    Attributes:
        outgoing: where it stands in the outbox; None when it has left it.
        peer_name: in words.
        directory_stale: the directory here has stood still for more than a week; what it says of the Party may be old.
        peer_standing: what the officer should know of that Party.
        why: where it stands and how it came there; None when it is answered, for whoever asks finds it under `why`.
    """

    asked: AskedQuery
    peer_name: str
    query: Query
    outgoing: Outgoing | None
    answers: tuple[AnswerView, ...]
    directory_stale: bool = False
    peer_standing: frozenset[Standing] = frozenset()
    why: Explanation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """A received query with what the officer needs to answer it.

    Attributes:
        draft: what the own repository and the policy would say; it is not sent until an officer signs it.
        automation: what the policy says of this query.
        peer_standing: what the officer should know of the Party that asks.
    """

    received: ReceivedQuery
    peer_name: str
    query: Query
    draft: Answer
    automation: Automation
    peer_standing: frozenset[Standing] = frozenset()


class Health(StrEnum):
    """Of one thing that `gsp doctor` looks at."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at, in words, with what to do when it is not good."""

    name: str
    health: Health
    words: str
    hint: str = ""


class KeyPlace(StrEnum):
    """Where a key lies, as its Party may know it."""

    FILE = "file"
    TOKEN = "token"  # noqa: S105  # a hardware token's name, no password
    MEMORY = "memory"
    """Made at each start and never written down."""
    STORE = "store"
    """In the node's database, encrypted under the storage key."""
    PAPER = "paper"
    """Not on this machine, as it should be."""
    ELSEWHERE = "elsewhere"
    """The directory lists it, and it is not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """One key, or many of one kind, with what happens next. Times are Unix seconds; 0 where there is none.

    Attributes:
        name: what it is.
        id: the first characters of the key or of its hash; empty for many.
        words: what it is for, and what happens next and when.
    """

    name: str
    id: str
    place: KeyPlace
    since: int
    ends: int
    health: Health
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """What a node says of itself: checks, and figures for programs. `keys` is what `gsp keys show` prints."""

    party: PartyId
    version: str
    checks: tuple[Check, ...]
    figures: Mapping[str, int]
    keys: tuple[KeyLine, ...] = ()


class Desk(Protocol):
    """What an officer can do at the own node. The officer was verified by whoever calls; rights are checked here."""

    async def resolve(self, officer: OfficerName, scan: str, clues: Clues = NO_CLUES) -> Resolution:
        """From a raw scan, and what else the pack tells, to ranked Parties. Raises InvalidScan."""

    async def prepare_query(self, officer: OfficerName, certificate: bytes, question: Question) -> Prepared:
        """Make what the officer signs. Raises UnknownParty, Forbidden, InvalidInput."""

    async def submit_query(self, officer: OfficerName, message_id: MessageId, signature: bytes) -> QueryView:
        """Send a prepared query; comes back after the first attempt, with the answer when it was automatic."""

    async def queries(self, officer: OfficerName, *, before: int, rows: int) -> tuple[AskedQuery, ...]:
        """Asked queries, newest first."""

    async def query(self, officer: OfficerName, message_id: MessageId, *, wait_s: float) -> QueryView:
        """One asked query; waits at most that long for a change while it has no final answer. Raises NotFound."""

    async def inbox(self, officer: OfficerName, *, before: int, rows: int) -> tuple[ReceivedQuery, ...]:
        """Received queries, newest first."""

    async def inbox_entry(self, officer: OfficerName, message_id: MessageId) -> InboxView:
        """One received query with a draft from the own repository. Raises NotFound."""

    async def prepare_answer(
        self,
        officer: OfficerName,
        certificate: bytes,
        message_id: MessageId,
        answer: Answer,
        *,
        attachments: Sequence[AttachmentId] = (),
    ) -> Prepared:
        """Make what the answering officer signs, with files that were brought to the node before.

        Raises NotFound, Conflict when it was answered before, InvalidInput.
        """

    async def submit_answer(self, officer: OfficerName, message_id: MessageId, signature: bytes) -> ReceivedQuery:
        """Send a prepared answer. `message_id` is the prepared answer's."""

    async def proof(self, officer: OfficerName, message_id: MessageId, *, disclose: Disclosure) -> bytes:
        """The proof file of an asked or received query. Raises NotFound."""

    async def status(self, officer: OfficerName) -> NodeStatus:
        """What `gsp doctor` shows."""

    async def why(self, officer: OfficerName, prefix: str) -> Explanation:
        """Why the message stands where it stands whose id begins like this. Raises NotFound, InvalidInput when several do."""

    async def peers(self, officer: OfficerName, party: PartyId | None) -> tuple[PeerView, ...]:
        """How other Parties' nodes do: all of them, or one with what waits for it. Raises NotFound."""
