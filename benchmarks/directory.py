"""The directory of a large treaty, next to what nobody can do without: hashing the leaves and checking the signatures.

The log is invented, and as long as that of a busy treaty: two hundred Parties join, and in five years each of them says something
of itself every two months, changes its node and signing key twice a year, its CA every other year and its Party key once. Twenty
witnesses tell the time every week.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product
from string import ascii_lowercase

from cryptography import x509
from nacl.signing import VerifyKey

from federation.boundary.directory import (
    Replica,
    accept,
    compose_entry,
    cosigners,
    extend,
    fold,
    open_genesis,
    sign_checkpoint,
)
from federation.envelope.suite import SUITE
from federation.identity import NodeName, PartyId
from federation.trust import note
from federation.trust.directory import entry_message
from federation.trust.entries import (
    Admit,
    Authority,
    AuthorityKind,
    Ca,
    Contact,
    EntryBody,
    Genesis,
    NodeEntry,
    Rotate,
    Update,
    Witnessed,
)
from federation.trust.issuing import (
    Authority as Issuer,
)
from federation.trust.issuing import (
    issue_party_ca,
    key_from_seed,
    make_issuing_ca,
    make_request,
    make_root,
    make_successor_ca,
    root_key_from_seed,
)
from federation.trust.keys import SoftwareSigner
from federation.trust.merkle import Frontier, leaf_hash
from federation.trust.note import Note, NoteSignature
from federation.trust.witness import witness_key
from federation.wire.directory import decode_entry_body, decode_signed_entry

PARTIES = 200
WITNESSES = 20
YEARS = 5
DAY = 86_400
BEGIN = 1_800_000_000
DOMAIN = "gsp.example.org"
ROUNDS = 3


@dataclass
class Member:
    """A Party with its keys of the moment."""

    party: PartyId
    key: SoftwareSigner
    next_key: SoftwareSigner
    signer: SoftwareSigner
    serial: int = 0

    @property
    def node(self) -> NodeName:
        return NodeName(party=self.party, node_id="n1", domain=DOMAIN)


def signer() -> SoftwareSigner:
    """A new key."""
    return SoftwareSigner(secrets.token_bytes(32))


@dataclass
class InventedLog:
    """A log that grows, and what it adds up to."""

    members: list[Member] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    now: int = BEGIN

    def __post_init__(self) -> None:
        root_key, issuing_key, ca_key = root_key_from_seed(secrets.token_bytes(32)), *map(key_from_seed, _seeds(2))
        entropy = secrets.token_bytes
        root = Issuer(certificate=make_root(key=root_key, now=self.now, entropy=entropy), key=root_key)
        issuing = make_issuing_ca(make_request(issuing_key), root=root, domain=DOMAIN, now=self.now, entropy=entropy)
        self.issuer = Issuer(certificate=issuing, key=issuing_key)
        self.log_signer, self.founders = signer(), [signer(), signer(), signer()]
        names = [PartyId(first + second) for first, second in product(ascii_lowercase, repeat=2)][:PARTIES]
        genesis = Genesis(
            created=self.now,
            origin=f"{DOMAIN}/directory",
            domain=DOMAIN,
            log_key=self.log_signer.public_key,
            root_certificate=root.certificate,
            issuing_ca=issuing,
            secretariat_ca=self._ca(ca_key, None),
            founders=tuple(sorted(one.public_key for one in self.founders)),
            founders_threshold=2,
            witness_wait_s=7 * DAY,
            recovery_wait_s=14 * DAY,
            first_witnesses=tuple(names[:WITNESSES]),
        )
        leaf = compose_entry(genesis, [*self.founders, self.log_signer])
        self.leaves.append(leaf)
        self.replica = open_genesis(leaf, leaf_hash(leaf))
        for name in names:
            self._admit(name)

    def _ca(self, key: object, party: PartyId | None) -> bytes:
        return issue_party_ca(
            make_request(key),  # type: ignore[arg-type]  # an elliptic curve key, whose type is not ours to name
            party=party,
            issuer=self.issuer,
            domain=DOMAIN,
            now=self.now,
            entropy=secrets.token_bytes,
        )

    def enter(self, body: EntryBody, *signers: SoftwareSigner) -> None:
        """Log an entry that keeps its rule."""
        leaf = compose_entry(body, signers)
        self.leaves.append(leaf)
        self.replica = fold(self.replica, leaf)
        if self.replica.roster.alarms:
            raise AssertionError(self.replica.roster.alarms[0].words)

    def _admit(self, name: PartyId) -> None:
        member = Member(party=name, key=signer(), next_key=signer(), signer=signer())
        body = Admit(
            created=self.now,
            party=name,
            party_key=member.key.public_key,
            next_key_hash=sha256(member.next_key.public_key).digest(),
            party_ca=self._ca(key_from_seed(secrets.token_bytes(32)), name),
            issuing_ca=self.issuer.certificate,
        )
        self.enter(body, *self.founders[:2], member.key)
        self.members.append(member)
        self.renew_node(member)

    def renew_node(self, member: Member) -> None:
        """A new signing key."""
        member.serial, member.signer = member.serial + 1, signer()
        body = NodeEntry(
            created=self.now,
            party=member.party,
            serial=member.serial,
            node=member.node,
            endpoint=f"{member.node.dns}:443",
            signing_key=member.signer.public_key,
            suites=(SUITE,),
            min_suite=SUITE,
        )
        self.enter(body, member.key)

    def update(self, member: Member) -> None:
        """What a Party says of itself."""
        member.serial += 1
        body = Update(
            created=self.now,
            party=member.party,
            serial=member.serial,
            display_name=f"Party {member.party.upper()}",
            region=False,
            authorities=tuple(Authority(kind=kind, name=f"{kind} of {member.party}") for kind in AuthorityKind),
            contacts=(Contact(name="Focal point", address=f"focal-point@{member.party}.example.org"),),
            pattern_set_version=member.serial,
            pattern_set_digest=secrets.token_bytes(32),
        )
        self.enter(body, member.key)

    def add_ca(self, member: Member) -> None:
        """A CA that follows the one before."""
        member.serial += 1
        made = make_successor_ca(
            key=key_from_seed(secrets.token_bytes(32)),
            party=member.party,
            domain=DOMAIN,
            now=self.now,
            entropy=secrets.token_bytes,
        )
        self.enter(Ca(created=self.now, party=member.party, serial=member.serial, party_ca=made), member.key)

    def rotate(self, member: Member) -> None:
        """The key from the safe."""
        member.key, member.next_key = member.next_key, signer()
        commitment = sha256(member.next_key.public_key).digest()
        body = Rotate(created=self.now, party=member.party, party_key=member.key.public_key, next_key_hash=commitment)
        self.enter(body, member.key)

    def checkpoint(self, witnesses: int) -> bytes:
        """The log as it is, cosigned by so many nodes."""
        bare = note.parse_note(sign_checkpoint(self.replica.genesis.origin, self.replica.frontier, self.log_signer))
        lines = [note.cosign(bare.text, one.node.dns, one.signer, self.now) for one in self.members[:witnesses]]
        return note.format_note(Note(text=bare.text, signatures=(*bare.signatures, *lines)))

    def tell(self) -> None:
        """What the witnesses say of the time."""
        self.enter(Witnessed(created=self.now, checkpoint=self.checkpoint(WITNESSES)), self.log_signer)

    def week(self, number: int) -> None:
        """One week of the treaty, in which everybody's turn comes round by the number of the Party."""
        self.now += 7 * DAY
        for place, member in enumerate(self.members):
            turn = number + place
            for every, what in ((9, self.update), (26, self.renew_node), (104, self.add_ca), (260, self.rotate)):
                if turn % every == 0:
                    what(member)
        self.tell()


def _seeds(count: int) -> Iterator[bytes]:
    return (secrets.token_bytes(32) for _ in range(count))


def best(work: Callable[[], object]) -> float:
    """Seconds of the quickest of a few."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def bare(leaves: list[bytes], frontier: Frontier, replica: Replica) -> Callable[[], object]:
    """Hashing the leaves into the tree and checking every signature in them, prepared to the last byte."""
    checks = [check for leaf in leaves for check in _signatures(leaf, replica)]
    links = [link for leaf in leaves for link in _links(leaf)]

    def run() -> Frontier:
        tree = frontier
        for leaf in leaves:
            tree, _ = tree.append(leaf_hash(leaf))
        for key, message, signature in checks:
            VerifyKey(key).verify(message, signature)
        for certificate, issuer in links:
            certificate.verify_directly_issued_by(issuer)
        return tree

    return run


def _signatures(leaf: bytes, replica: Replica) -> Iterator[tuple[bytes, bytes, bytes]]:
    entry = decode_signed_entry(leaf)
    for one in entry.signatures:
        yield one.public_key, entry_message(entry.kind, entry.body), one.signature
    body = decode_entry_body(entry.kind, entry.body)
    if isinstance(body, Witnessed):
        yield from cosignatures(body.checkpoint, replica)


def _links(leaf: bytes) -> Iterator[tuple[x509.Certificate, x509.Certificate]]:
    """The certificate that an entry brings, and the one that signed it."""
    entry = decode_signed_entry(leaf)
    body = decode_entry_body(entry.kind, entry.body)
    if isinstance(body, Admit | Ca):
        made = x509.load_der_x509_certificate(body.party_ca)
        yield made, x509.load_der_x509_certificate(body.issuing_ca) if isinstance(body, Admit) else made


def cosignatures(raw: bytes, replica: Replica) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The cosignatures under a checkpoint by nodes that were ever listed, as PyNaCl takes them."""
    parsed = note.parse_note(raw)
    keys = {
        (logged.entry.node.dns, witness_key(logged.entry).key_id): logged
        for record in replica.roster.parties.values()
        for logged in record.nodes
    }
    for line in parsed.signatures:
        logged = keys.get((line.name, line.key_id))
        if logged is not None:
            yield logged.entry.signing_key, _cosigned(parsed.text, line), line.blob[8:]


def _cosigned(text: bytes, line: NoteSignature) -> bytes:
    return b"cosignature/v1\ntime %d\n" % int.from_bytes(line.blob[:8]) + text


def replaying() -> dict[str, dict[str, float]]:
    """Milliseconds of replaying the log, of an update, and of a checkpoint that all Parties cosigned, with their floors."""
    log = InventedLog()
    for week in range(YEARS * 52):
        log.week(week)
    before, known, raw = log.replica, len(log.leaves), log.checkpoint(WITNESSES)
    log.week(YEARS * 52)
    newer, newest = log.leaves[known:], log.checkpoint(WITNESSES)
    begun = open_genesis(log.leaves[0], leaf_hash(log.leaves[0]))
    everybody = log.checkpoint(PARTIES)
    checks = list(cosignatures(everybody, log.replica))
    return {
        "entries": {"all": known, "a week": len(newer), "MiB": sum(map(len, log.leaves)) / 2**20},
        "replay from nothing": _pair(
            lambda: extend(begun, log.leaves[1:known], raw), bare(log.leaves[1:known], begun.frontier, log.replica)
        ),
        "an update of a week": _pair(
            lambda: accept(before, newer, newest, now=log.now), bare(newer, before.frontier, log.replica)
        ),
        f"a checkpoint with {len(checks)} cosignatures": _pair(
            lambda: weigh_all(log, everybody), lambda: [VerifyKey(key).verify(message, signed) for key, message, signed in checks]
        ),
    }


def weigh_all(log: InventedLog, raw: bytes) -> int:
    """How many nodes cosigned."""
    return len(cosigners(log.replica.roster, raw))


def _pair(ours: Callable[[], object], floor: Callable[[], object]) -> dict[str, float]:
    ours_s, floor_s = best(ours), best(floor)
    return {"ms": ours_s * 1e3, "floor_ms": floor_s * 1e3, "ratio": ours_s / floor_s}
