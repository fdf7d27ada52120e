"""The roster: who is who, as the accepted entries of the directory log add up to it. What changes it stands in the rules.

A record keeps what stood before: old signatures, old certificates and old proofs are verified with it. What counts now is given by
the properties; nobody reads an admission to learn a Party's present keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from federation import limits
from federation.errors import Forbidden, UnknownParty
from federation.identity import NodeName, PartyId
from federation.trust.entries import Admit, Genesis, Mandate, NodeEntry, Recover, Update
from federation.trust.used_keys import UsedKeys


class Status(StrEnum):
    """Where a Party stands. Before all of these it is *invited*, which the Secretariat alone knows."""

    PILOT = "pilot"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A node entry with its place in the log; old ones are kept, because old signatures are verified with them."""

    index: int
    entry: NodeEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCa:
    """A CA of a Party with its place in the log.

    Attributes:
        der: the certificate.
        key_hash: SHA-256 of its SubjectPublicKeyInfo, by which it is revoked.
        not_after: Unix seconds at which it ends by itself.
    """

    index: int
    der: bytes
    key_hash: bytes
    not_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRecord:
    """One Party as the log has it.

    Attributes:
        admit, admit_index: its admission, and where it stands.
        admit_digest: SHA-256 of the body of the entry by which the founders last gave it keys: the admission, or a recovery that
            took effect. A confirmation names it, so that one for other keys counts for nothing.
        party_key: authors the Party's entries; None when it was revoked and nothing has followed yet.
        next_key_hash: SHA-256 of the key that alone may follow.
        ca_serial: of the newest `ca` entry; 0 before the first.
        nodes: all its node entries, oldest first; the last one stands.
        cas: all its CAs, oldest first.
        revoked: signing keys, Party keys and hashes of CA keys that count no more.
        confirmed_by: Parties that confirmed these keys.
        suspended: why, while the founders have suspended it; else None.
        withdrawn: it has left.
        left_at: what the log's clock said then; 0 before.
    """

    admit: Admit
    admit_index: int
    admit_digest: bytes
    party_key: bytes | None
    next_key_hash: bytes
    ca_serial: int = 0
    update: Update | None = None
    nodes: tuple[Logged, ...] = ()
    cas: tuple[LoggedCa, ...]
    revoked: frozenset[bytes] = frozenset()
    confirmed_by: frozenset[PartyId] = frozenset()
    suspended: str | None = None
    withdrawn: bool = False
    left_at: int = 0

    @property
    def name(self) -> str:
        """In words, or the code when the Party has not said."""
        return self.update.display_name if self.update is not None else self.admit.party.upper()

    @property
    def status(self) -> Status:
        """Where it stands now."""
        if self.withdrawn:
            return Status.WITHDRAWN
        if self.suspended is not None:
            return Status.SUSPENDED
        return Status.PILOT if self.update is not None and self.update.pilot else Status.ACTIVE

    @property
    def exchanges(self) -> bool:
        """Whether it may ask and answer."""
        return self.status in (Status.ACTIVE, Status.PILOT)

    @property
    def node(self) -> NodeEntry | None:
        """The node that stands, or None for a Party that has left, has none, or has revoked its signing key."""
        if self.withdrawn or not self.nodes or self.nodes[-1].entry.signing_key in self.revoked:
            return None
        return self.nodes[-1].entry

    @property
    def standing_cas(self) -> tuple[bytes, ...]:
        """DER of the CAs that anchor connections and officers, the newest last. Each ends by its own date."""
        if self.withdrawn:
            return ()
        return tuple(ca.der for ca in self.cas if ca.key_hash not in self.revoked)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedMandate:
    """A mandate with its place in the log."""

    index: int
    mandate: Mandate


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An entry that stands in the log and breaks a rule. It changed nothing."""

    index: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A key that signs checkpoints of some sizes.

    Attributes:
        first, last: the smallest and the largest size that it may sign; `last` is None for the key that stands.
    """

    public_key: bytes
    first: int = 0
    last: int | None = None

    def signs(self, size: int) -> bool:
        """Whether a checkpoint of that size may carry this key's signature."""
        return self.first <= size and (self.last is None or size <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """What the founders decide, as it stands: the genesis entry and what they changed since.

    Attributes:
        serial: of the founders' newest entry; each needs a greater one, so that none can be logged twice.
        log_keys: oldest first; the last one stands.
        issuing_cas: DER of the CAs that may admit Parties, the newest last.
        secretariat_cas: DER of the anchors of the Secretariat's node, the newest last.
    """

    serial: int = 0
    founders: tuple[bytes, ...]
    founders_threshold: int
    witness_wait_s: int
    recovery_wait_s: int
    confirmations: int
    log_keys: tuple[LogKey, ...]
    issuing_cas: tuple[bytes, ...]
    secretariat_cas: tuple[bytes, ...]

    @property
    def log_key(self) -> bytes:
        """The key that signs checkpoints now."""
        return self.log_keys[-1].public_key


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """A Party whose node is on witness duty.

    Attributes:
        index: of the entry that put it there.
        at_once: nobody counted then, so that there was no quorum to be bought and nobody to tell the time of waiting.
        seen_at: cosignature time of the first logged checkpoint that holds the entry; None before there is one.
    """

    index: int
    at_once: bool = False
    seen_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A recovery that has not taken effect.

    Attributes:
        index: of its entry.
        digest: SHA-256 of its body.
        ca: read when it was logged; None when the Party keeps its own. What takes effect later is not refused any more.
        seen_at: as in `OnDuty`; the waiting time begins there, whatever the entry says of itself.
        vetoed: stopped by the Party's next key, with a veto or by being put to use.
        overridden: the veto was set aside by two thirds of the other Parties.
    """

    index: int
    digest: bytes
    body: Recover
    ca: LoggedCa | None
    seen_at: int | None = None
    vetoed: bool = False
    overridden: bool = False

    @property
    def stopped(self) -> bool:
        """Whether it will not take effect as things stand."""
        return self.vetoed and not self.overridden


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who is who, after all entries so far.

    Attributes:
        mandate_serials: the newest serial between a region and a member, of a mandate or of one that was revoked.
        witnessed_at: Unix seconds of the newest checkpoint that the log itself holds; the only clock of the rules.
        witnessed_size: how many entries that checkpoint covers.
        used: hashes of every key that says something in this directory, or ever did: none of them serves a second time.
        committed: hashes of every key that a Party ever committed to: each serves that Party alone.
        partial: made of some entries only, as a proof carries them; what needs the others, such as the time, is not asked.
        alarms: the newest ones; a log of nothing but rubbish fills nobody's memory.
    """

    genesis: Genesis
    governance: Governance
    size: int
    parties: MappingProxyType[PartyId, PartyRecord] = field(default_factory=lambda: MappingProxyType({}))
    mandates: tuple[LoggedMandate, ...] = ()
    mandate_serials: Mapping[tuple[PartyId, PartyId], int] = field(default_factory=lambda: MappingProxyType({}))
    duties: Mapping[PartyId, OnDuty] = field(default_factory=lambda: MappingProxyType({}))
    recoveries: tuple[Recovery, ...] = ()
    witnessed_at: int = 0
    witnessed_size: int = 0
    used: UsedKeys = field(default_factory=UsedKeys)
    committed: UsedKeys = field(default_factory=UsedKeys)
    partial: bool = False
    alarms: tuple[Alarm, ...] = ()

    def party(self, party: PartyId) -> PartyRecord:
        """The Party's record.

        Raises:
            UnknownParty: it was never admitted.
        """
        try:
            return self.parties[party]
        except KeyError:
            raise UnknownParty(f"{party} is no Party in the accepted directory") from None

    def node(self, party: PartyId) -> NodeEntry:
        """The Party's node, with which messages may be exchanged.

        Raises:
            UnknownParty: no Party, one that has withdrawn, or one without a node.
            Forbidden: it is suspended.
        """
        record = self.party(party)
        if record.withdrawn:
            raise UnknownParty(f"{party} has withdrawn and answers nothing any more")
        if record.suspended is not None:
            raise Forbidden(f"{party} is suspended", hint="nothing is exchanged with it until the founders reinstate it")
        if record.node is None:
            raise UnknownParty(f"{party} runs no node", hint="a region may answer for it; else write to its contact point")
        return record.node

    def is_confirmed(self, party: PartyId) -> bool:
        """Whether enough other Parties that stand have vouched for its keys."""
        confirming = [one for one in self.party(party).confirmed_by if self.parties[one].exchanges]
        return len(confirming) >= self.governance.confirmations

    def mandates_of(self, member: PartyId, *, now: float) -> Iterator[Mandate]:
        """The member's mandates that have not ended, the newest first. A region that has left or is suspended does nothing."""
        for one in reversed(self.mandates):
            mandate = one.mandate
            region = self.parties.get(mandate.region)
            if mandate.member == member and mandate.not_after > now and region is not None and region.exchanges:
                yield mandate

    def mandate_for(self, member: PartyId, *, now: float) -> LoggedMandate | None:
        """The newest mandate under which somebody answers for the member now."""
        newest = next((one for one in self.mandates_of(member, now=now) if one.answers), None)
        return next((one for one in self.mandates if one.mandate is newest), None) if newest is not None else None

    def administrators_for(self, member: PartyId, *, now: float) -> tuple[PartyId, ...]:
        """The regions that may write the member's update and node entries."""
        return tuple(one.region for one in self.mandates_of(member, now=now) if one.administers)

    def responder(self, party: PartyId, *, now: float) -> PartyId | None:
        """Who answers for the Party: the region that holds its mandate, else itself; None when neither has a node.

        A Party that is suspended or has left does not answer through its region either.
        """
        own = self.parties.get(party)
        if own is None or not own.exchanges:
            return None
        mandate = self.mandate_for(party, now=now)
        answering = own if mandate is None else self.parties[mandate.mandate.region]
        return answering.admit.party if answering.node is not None else None

    def members_of(self, region: PartyId, *, now: float) -> frozenset[PartyId]:
        """The Parties that the region answers for now."""
        members = {one.mandate.member for one in self.mandates if one.mandate.region == region}
        return frozenset(member for member in members if self.responder(member, now=now) == region)

    def anchors(self) -> dict[PartyId | None, tuple[bytes, ...]]:
        """TLS anchors: each Party's CAs and, under None, those of the Secretariat's node. The treaty root is not among them.

        A suspended Party keeps its anchor: it may read the directory. One that has withdrawn has none.
        """
        pinned: dict[PartyId | None, tuple[bytes, ...]] = {None: self.governance.secretariat_cas}
        pinned.update({party: record.standing_cas for party, record in self.parties.items() if record.standing_cas})
        return pinned


def with_party(roster: Roster, party: PartyId, record: PartyRecord) -> Roster:
    """The roster with another record of one Party."""
    return replace(roster, parties=MappingProxyType(roster.parties | {party: record}))


def standing_node(roster: Roster, name: NodeName) -> NodeEntry:
    """The entry of the named node.

    Raises:
        UnknownParty: no Party, no node, or another node than the one that stands.
        Forbidden: the Party is suspended.
    """
    if name.party is None:
        raise UnknownParty("the Secretariat signs and takes no messages")
    node = roster.node(name.party)
    if node.node != name:
        raise UnknownParty("the directory lists another node for that Party")
    return node


def signing_key(roster: Roster, name: NodeName) -> bytes:
    """The key that the named node signs with now.

    Raises:
        As `standing_node`.
    """
    return standing_node(roster, name).signing_key


def signing_keys(roster: Roster, name: NodeName, *, at: float) -> tuple[bytes, ...]:
    """The keys under which the named node may have signed at a time that the signed bytes say themselves, the newest first.

    The key that stands is always among them; one that was replaced, for what was signed before that and shortly after, so that
    what was under way when a key changed arrives all the same. Whoever stole such a key could write any time: a stolen key is
    revoked, and then it is not among them at all.

    Args:
        roster: as it stands.
        name: the node.
        at: Unix seconds.

    Raises:
        As `standing_node`.
    """
    record = roster.party(standing_node(roster, name).party)
    began = {one.entry.signing_key: one.entry.created for one in reversed(record.nodes) if one.entry.node == name}
    newest_first = list(began)
    replaced_at = [began[key] for key in newest_first]  # the key at one place was replaced by the one before it
    former = [
        key
        for key, replaced in zip(newest_first[1:], replaced_at, strict=False)
        if key not in record.revoked and at <= replaced + limits.SIGNING_OVERLAP_S
    ]
    return (newest_first[0], *former)
