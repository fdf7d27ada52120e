"""A treaty with its Parties, officers, markings and traceability data: made once, the same in every run, with real signatures.

Founding, keys and entries are made by the use cases that the programs call. Only the ceremony is shortened: all Parties enter the
log at once, under one checkpoint.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from federation.boundary.directory import Replica, compose_entry, fold, open_genesis, sign_checkpoint
from federation.envelope.suite import SUITE
from federation.identity import NodeName, OfficerName, PartyId
from federation.trust.entries import Admit, AuthorityKind, Contact, NodeEntry, Update
from federation.trust.entries import Authority as CompetentAuthority
from federation.trust.issuing import Authority, issue_officer_certificate, issue_party_ca, key_from_seed
from federation.trust.keys import SoftwareSigner
from federation.uim.codes import Label, Level, ProductClass
from federation.uim.pattern import Pattern, PatternSet
from federation.uim.segments import CharacterSegment, Charset, LiteralSegment
from federation.wire.patterns import encode_pattern_set
from node.trace.events import Application, Dispatch, Filing, Issuance, Report
from node.trace.model import Coverage, Facility, FacilityKind, Product
from node.trace.parts import Destination, DestinationKind
from node.use_cases.founding import Founded, PartyKeys, found, make_party_keys, secretariat_name
from node.use_cases.library import pattern_set_digest
from node.use_cases.world import World
from tests.support.virtual_clock import EPOCH, SeededEntropy

DOMAIN = "gsp.example.org"
PARTIES = tuple(
    PartyId(first + second)
    for first, seconds in (
        ("q", "mnopqrstuvwxyz"),
        ("x", "abcdefghjlmnopqrstuvw"),
        ("q", "bcdefghijkl"),
        ("o", "bcdefghijklnopqrstuvwxyz"),
        ("w", "abcdehijkmnpqrtuxyz"),
        ("j", "bcdfghijklnq"),
    )
    for second in seconds
)
"""The first thirty-five ISO 3166-1 leaves to their users; `xi` and `xk` are in use all the same. The others, for large simulations, it
has given to nobody.
"""
CODES_PER_PARTY = 12
MARKING = "UNITPACK"
"""Fixed text of every marking here: whoever reads it on the wire has read a code, or a public pattern."""
FACTORY = "Tabakfabrik Musterstadt"
"""Stands in every answer that says where something was made."""
NECESSITY = "a van was stopped at the border"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerKit:
    """What an officer of a Party carries: a name, a certificate and the key."""

    name: OfficerName
    certificate: bytes
    signer: SoftwareSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyKit:
    """Everything that one Party brings to its node.

    Attributes:
        author: the Party key, which writes into the directory and is not needed for traffic.
        signer: the node's.
        codes: which its data know, each with a story.
        unknown_code: in the form of its codes, and never issued.
    """

    party: PartyId
    name: NodeName
    author: SoftwareSigner
    signer: SoftwareSigner
    ca: Authority
    officers: tuple[OfficerKit, ...]
    patterns: PatternSet
    filings: tuple[Filing, ...]
    codes: tuple[str, ...]
    unknown_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatyKit:
    """The directory as it is when the simulation begins.

    Attributes:
        leaves: genesis first.
        checkpoint: over all of them, without cosignatures.
        replica: what they add up to.
    """

    founded: Founded
    secretariat: NodeName
    leaves: tuple[bytes, ...]
    checkpoint: bytes
    replica: Replica
    parties: tuple[PartyKit, ...]

    @property
    def log_signer(self) -> SoftwareSigner:
        """The Secretariat's."""
        return SoftwareSigner(self.founded.log_seed)


class _Founding:
    """The clock of the day before the simulation begins."""

    def now(self) -> float:
        return EPOCH - 86_400


@functools.cache
def treaty_of(count: int, *, witnesses: int = 0) -> TreatyKit:
    """A treaty of so many Parties, each with a node and two officers; the first so many are witnesses from the beginning."""
    world = World(clock=_Founding(), entropy=SeededEntropy("treaty", count))
    founded = found(world, domain=DOMAIN, founders=3, threshold=2, first_witnesses=PARTIES[:witnesses])
    founders = [SoftwareSigner(seed) for seed in founded.founder_seeds[:2]]
    issuer = Authority(certificate=founded.issuing_ca, key=key_from_seed(founded.issuing_seed))
    replica = open_genesis(founded.genesis_leaf, founded.digest)
    leaves, kits = [founded.genesis_leaf], []
    for party in PARTIES[:count]:
        keys = make_party_keys(world, party)
        certificate = issue_party_ca(
            keys.request, party=party, issuer=issuer, domain=DOMAIN, now=world.now(), entropy=world.entropy
        )
        kit = _party(world, keys, Authority(certificate=certificate, key=key_from_seed(keys.ca_seed)))
        leaves.append(compose_entry(_admit(world, keys, kit, issuer), [*founders, kit.author]))
        leaves.append(compose_entry(_node_entry(world, kit), [kit.author]))
        leaves.append(compose_entry(_update(world, kit), [kit.author]))
        kits.append(kit)
    for leaf in leaves[1:]:
        replica = fold(replica, leaf)
    assert not replica.roster.alarms
    checkpoint = sign_checkpoint(replica.genesis.origin, replica.frontier, SoftwareSigner(founded.log_seed))
    return TreatyKit(
        founded=founded,
        secretariat=secretariat_name(DOMAIN),
        leaves=tuple(leaves),
        checkpoint=checkpoint,
        replica=Replica(roster=replica.roster, frontier=replica.frontier, note=checkpoint),
        parties=tuple(kits),
    )


def _party(world: World, keys: PartyKeys, ca: Authority) -> PartyKit:
    party = keys.party
    return PartyKit(
        party=party,
        name=NodeName(party=party, node_id="n1", domain=DOMAIN),
        author=SoftwareSigner(keys.party_seed),
        signer=SoftwareSigner(keys.signing_seed),
        ca=ca,
        officers=tuple(_officer(world, party, ca, f"officer{number}x") for number in (1, 2)),
        patterns=_patterns(party),
        filings=tuple(_filings(party)),
        codes=tuple(_code(party, number) for number in range(CODES_PER_PARTY)),
        unknown_code=_code(party, 999),
    )


def _officer(world: World, party: PartyId, ca: Authority, officer_id: str) -> OfficerKit:
    name = OfficerName(party=party, officer_id=officer_id, domain=DOMAIN)
    signer = SoftwareSigner(world.entropy(32))
    certificate = issue_officer_certificate(signer.public_key, name=name, ca=ca, now=world.now(), entropy=world.entropy)
    return OfficerKit(name=name, certificate=certificate, signer=signer)


def _admit(world: World, keys: PartyKeys, kit: PartyKit, issuer: Authority) -> Admit:
    return Admit(
        created=world.now(),
        party=kit.party,
        party_key=kit.author.public_key,
        next_key_hash=keys.next_key_hash,
        party_ca=kit.ca.certificate,
        issuing_ca=issuer.certificate,
    )


def _node_entry(world: World, kit: PartyKit) -> NodeEntry:
    return NodeEntry(
        created=world.now(),
        party=kit.party,
        serial=1,
        node=kit.name,
        endpoint=f"{kit.name.dns}:7443",
        signing_key=kit.signer.public_key,
        suites=(SUITE,),
        min_suite=SUITE,
    )


def _update(world: World, kit: PartyKit) -> Update:
    return Update(
        created=world.now(),
        party=kit.party,
        serial=1,
        display_name=f"Party {kit.party.upper()}",
        region=False,
        authorities=(CompetentAuthority(kind=AuthorityKind.CUSTOMS, name="Customs"),),
        contacts=(Contact(name="Desk", address=f"desk@{kit.party}.example.org"),),
        pattern_set_version=1,
        pattern_set_digest=pattern_set_digest(encode_pattern_set(kit.patterns)),
    )


def _code(party: PartyId, number: int) -> str:
    return f"{party.upper()}{MARKING}{number:06}"


def _patterns(party: PartyId) -> PatternSet:
    pattern = Pattern(
        pattern_id=f"{party}-pack",
        version=1,
        owner=party,
        title=f"{party}: stamp on a pack",
        source="Invented for tests.",
        label=Label.INVENTED,
        level=Level.UNIT,
        segments=(
            LiteralSegment(name="issuer", text=f"{party.upper()}{MARKING}"),
            CharacterSegment(name="serial", charset=Charset.DIGITS, shortest=6, longest=6),
        ),
        examples=(_code(party, 0),),
    )
    return PatternSet(party=party, version=1, patterns=(pattern,))


def _filings(party: PartyId) -> list[Filing]:
    country, made = party.upper(), int(EPOCH) - 30 * 86_400
    codes = tuple(_code(party, number) for number in range(CODES_PER_PARTY))
    issued = Issuance(
        event_id=f"{party}-1",
        event_time=made - 3_600,
        record_time=made - 3_600,
        level=Level.UNIT,
        issuer=country,
        product_id="blend",
        facility_id="factory",
        intended_market=country,
    )
    applied = Application(event_id=f"{party}-2", event_time=made, record_time=made + 60, facility_id="factory", shift="B")
    dispatched = Dispatch(
        event_id=f"{party}-3",
        event_time=made + 86_400,
        record_time=made + 80_000,
        destination=Destination(kind=DestinationKind.EXPORT, country="XX"),
        facility_id="factory",
    )
    return [
        Facility(facility_id="factory", name=FACTORY, kind=FacilityKind.FACTORY, country=country),
        Product(product_id="blend", product_class=ProductClass.CIGARETTE, brand="Example Blend"),
        Report(event=issued, codes=codes),
        Report(event=applied, codes=codes),
        Report(event=dispatched, codes=codes[: CODES_PER_PARTY // 2]),
        Coverage(complete_as_of=int(EPOCH)),
    ]
