"""The rules of the directory log: who may author which entry, and the roster that the accepted entries add up to.

Theory of operation. A node reads the log from its first entry on. Entry 0 has to be the genesis whose digest was configured; from
there each entry either follows its author rule and changes the roster, or it does not, and then it changes nothing and leaves an
alarm, although it stands in the log. The rules use the times written in the entries, never the reader's clock, so that every
reader of the same log has the same roster.

    genesis   all founders and the log key                          index 0 only
    admit     k founders and the Party (its acceptance)             the CA leads to the treaty root; the Party is new
    update    the Party key                                         serial grows
    node      the Party key                                         serial grows; the name lies in the Party's domain
    mandate   the region's and the member's Party key               serial grows; it ends

Signatures are checked here over the bytes that came; whether those bytes parse is asked before, in `federation.wire`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from federation import limits
from federation.errors import FederationError, Forbidden, Malformed, Unauthentic, UnknownParty
from federation.identity import NodeName, PartyId
from federation.trust.certificate import read_party_ca
from federation.trust.entries import Admit, EntryBody, EntryKind, Genesis, Mandate, NodeEntry, SignedEntry, Update
from federation.trust.keys import check_public_key, pae, verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A node entry with its place in the log; old ones are kept, because old signatures are verified with them."""

    index: int
    entry: NodeEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRecord:
    """One Party as the log has it.

    Attributes:
        admit_index: where it was admitted.
        nodes: all its node entries, oldest first; the last one stands.
    """

    admit: Admit
    admit_index: int
    update: Update | None = None
    nodes: tuple[Logged, ...] = ()

    @property
    def name(self) -> str:
        """In words, or the code when the Party has not said."""
        return self.update.display_name if self.update is not None else self.admit.party.upper()

    @property
    def node(self) -> NodeEntry | None:
        """The node that stands, or None for a Party without one."""
        return self.nodes[-1].entry if self.nodes else None


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
class Roster:
    """Who is who, after all entries so far."""

    genesis: Genesis
    size: int
    parties: Mapping[PartyId, PartyRecord] = field(default_factory=lambda: MappingProxyType({}))
    mandates: tuple[LoggedMandate, ...] = ()
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
        """The Party's node.

        Raises:
            UnknownParty: no Party, or a Party without a node.
        """
        node = self.party(party).node
        if node is None:
            raise UnknownParty(f"{party} runs no node", hint="a region may answer for it; else write to its contact point")
        return node

    def mandate_for(self, member: PartyId, *, now: float) -> LoggedMandate | None:
        """The newest mandate of the member that has not ended."""
        valid = [one for one in self.mandates if one.mandate.member == member and one.mandate.not_after > now]
        return valid[-1] if valid else None

    def responder(self, party: PartyId, *, now: float) -> PartyId | None:
        """Who answers for the Party: the region that holds its mandate, else itself; None when neither has a node."""
        mandate = self.mandate_for(party, now=now)
        answering = mandate.mandate.region if mandate is not None else party
        record = self.parties.get(answering)
        return answering if record is not None and record.node is not None else None

    def members_of(self, region: PartyId, *, now: float) -> frozenset[PartyId]:
        """The Parties that the region answers for now."""
        members = {one.mandate.member for one in self.mandates if one.mandate.region == region}
        return frozenset(member for member in members if self.responder(member, now=now) == region)

    def anchors(self) -> dict[PartyId | None, tuple[bytes, ...]]:
        """TLS anchors: each Party's CA and, under None, that of the Secretariat's node. The treaty root is not among them."""
        pinned: dict[PartyId | None, tuple[bytes, ...]] = {None: (self.genesis.secretariat_ca,)}
        pinned.update({party: (record.admit.party_ca,) for party, record in self.parties.items()})
        return pinned


def entry_message(kind: EntryKind, body: bytes) -> bytes:
    """What an author signs: the body bound to its kind."""
    return pae(f"entry/{kind}", body)


def begin(entry: SignedEntry, body: EntryBody) -> Roster:
    """The roster after the genesis entry. That it is the right one is known by its digest, before this is called.

    Raises:
        Unauthentic: a signature of a founder or of the log key is missing or wrong.
        Malformed: not a genesis, or a key or certificate in it that cannot serve.
    """
    if not isinstance(body, Genesis):
        raise Malformed("the first entry of a directory is its genesis")
    for key in (*body.founders, body.log_key):
        check_public_key(key)
    if body.log_key in body.founders:
        raise Malformed("the log key serves for nothing else, and founders keep their own")
    if _signers(entry) != {*body.founders, body.log_key}:
        raise Unauthentic("the genesis is not signed by all founders and the log key")
    read_party_ca(
        body.secretariat_ca,
        party=None,
        domain=body.domain,
        issuing_ca=body.issuing_ca,
        root=body.root_certificate,
        now=body.created,
    )
    return Roster(genesis=body, size=1)


def apply(roster: Roster, entry: SignedEntry, body: EntryBody) -> Roster:
    """The roster after one more entry; an entry that breaks a rule leaves an alarm and changes nothing else."""
    try:
        changed = _apply(roster, entry, body)
    except FederationError as error:
        return refuse(roster, error.message)
    return replace(changed, size=roster.size + 1)


def refuse(roster: Roster, words: str) -> Roster:
    """The roster after an entry that stands in the log and is not accepted."""
    return replace(roster, size=roster.size + 1, alarms=(*roster.alarms, Alarm(index=roster.size, words=words)))


def _apply(roster: Roster, entry: SignedEntry, body: EntryBody) -> Roster:
    signers = _signers(entry)
    match body:
        case Admit():
            return _admit(roster, body, signers)
        case Update():
            return _update(roster, body, signers)
        case NodeEntry():
            return _node(roster, body, signers)
        case Mandate():
            return _mandate(roster, body, signers)
        case Genesis():
            raise Forbidden("a directory has one genesis")


def _signers(entry: SignedEntry) -> set[bytes]:
    """The keys whose signatures verify; one that does not, or a key that signs twice, refuses the whole entry."""
    message = entry_message(entry.kind, entry.body)
    for one in entry.signatures:
        verify(public_key=one.public_key, message=message, signature=one.signature)
    keys = {one.public_key for one in entry.signatures}
    if len(keys) != len(entry.signatures):
        raise Malformed("a key signed an entry twice")
    return keys


def _admit(roster: Roster, body: Admit, signers: set[bytes]) -> Roster:
    genesis = roster.genesis
    founders = signers & set(genesis.founders)
    if signers != founders | {body.party_key}:
        raise Forbidden("an admission is signed by founders and by the Party, and by nobody else")
    if len(founders) < genesis.founders_threshold:
        raise Forbidden(f"{len(founders)} founders signed an admission; {genesis.founders_threshold} have to")
    if body.party in roster.parties:
        raise Forbidden(f"{body.party} is a Party already; its keys change by rotation")
    if len(roster.parties) >= limits.PARTIES_MAX:
        raise Forbidden("the directory holds as many Parties as it can")
    check_public_key(body.party_key)
    if body.party_key in _listed_keys(roster):
        raise Forbidden("the key of a Party serves for nothing else, and for nobody else")
    read_party_ca(
        body.party_ca,
        party=body.party,
        domain=genesis.domain,
        issuing_ca=body.issuing_ca,
        root=genesis.root_certificate,
        now=body.created,
    )
    return _with(roster, body.party, PartyRecord(admit=body, admit_index=roster.size))


def _update(roster: Roster, body: Update, signers: set[bytes]) -> Roster:
    record = _authored(roster, body.party, signers)
    if record.update is not None and body.serial <= record.update.serial:
        raise Forbidden("the serial of an update has to grow")
    return _with(roster, body.party, replace(record, update=body))


def _node(roster: Roster, body: NodeEntry, signers: set[bytes]) -> Roster:
    record = _authored(roster, body.party, signers)
    if record.node is not None and body.serial <= record.node.serial:
        raise Forbidden("the serial of a node entry has to grow")
    if body.node.domain != roster.genesis.domain:
        raise Forbidden("a node is named in the treaty's domain")
    check_public_key(body.signing_key)
    own = {logged.entry.signing_key for logged in record.nodes}
    if body.signing_key in _listed_keys(roster) - own:
        raise Forbidden("the signing key of a node serves for nothing else, and for nobody else")
    return _with(roster, body.party, replace(record, nodes=(*record.nodes, Logged(index=roster.size, entry=body))))


def _mandate(roster: Roster, body: Mandate, signers: set[bytes]) -> Roster:
    region, member = roster.party(body.region), roster.party(body.member)
    if signers != {region.admit.party_key, member.admit.party_key}:
        raise Forbidden("a mandate is signed by the region and by the member, and by nobody else")
    between = (body.region, body.member)
    others = tuple(one for one in roster.mandates if (one.mandate.region, one.mandate.member) != between)
    before = next((one for one in roster.mandates if (one.mandate.region, one.mandate.member) == between), None)
    if before is not None and body.serial <= before.mandate.serial:
        raise Forbidden("the serial of a mandate has to grow")
    if body.not_after - body.created > limits.MANDATE_LIFE_S_MAX:
        raise Forbidden("a mandate lasts longer than any may")
    return replace(roster, mandates=(*others, LoggedMandate(index=roster.size, mandate=body)))


def _authored(roster: Roster, party: PartyId, signers: set[bytes]) -> PartyRecord:
    record = roster.party(party)
    if signers != {record.admit.party_key}:
        raise Forbidden("only the Party's own key writes this entry")
    return record


def _listed_keys(roster: Roster) -> set[bytes]:
    """Every key that says something in this directory already."""
    listed = {*roster.genesis.founders, roster.genesis.log_key}
    for record in roster.parties.values():
        listed.add(record.admit.party_key)
        listed.update(logged.entry.signing_key for logged in record.nodes)
    return listed


def _with(roster: Roster, party: PartyId, record: PartyRecord) -> Roster:
    return replace(roster, parties=MappingProxyType({**roster.parties, party: record}))


def standing_node(roster: Roster, name: NodeName) -> NodeEntry:
    """The entry of the named node.

    Raises:
        UnknownParty: no Party, no node, or another node than the one that stands.
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
        UnknownParty: as `standing_node`.
    """
    return standing_node(roster, name).signing_key
