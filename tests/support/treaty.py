"""A whole treaty from one seed: founders, log, root, CAs, the Secretariat, and the Parties that a test admits.

Every key and every certificate follows from the seed and the time, so the same calls give the same log, byte for byte. Nothing is
forged here: entries are composed and signed as the programs do it. A test that wants a wrong entry changes the body
(`dataclasses.replace`) or the signers and logs it with `enter`; a test that wants a wrong certificate finds forgers in `pki`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric import ec

from federation.boundary.directory import (
    Replica,
    add_cosignature,
    compose_entry,
    cosign_checkpoint,
    extend,
    genesis_digest,
    open_genesis,
    sign_checkpoint,
)
from federation.envelope.suite import SUITE
from federation.identity import NodeName, OfficerName, PartyId
from federation.ports import Peer
from federation.trust import issuing, merkle
from federation.trust.entries import (
    Admit,
    Authority,
    AuthorityKind,
    Contact,
    EntryBody,
    Genesis,
    Mandate,
    NodeEntry,
    Update,
)
from federation.trust.issuing import Entropy, key_from_seed, key_to_pem, make_request, root_key_from_seed
from federation.trust.keys import Signer, SoftwareSigner
from federation.trust.roster import Roster
from tests.support.tree import Tree

DOMAIN = "gsp.example"
NOW = 1_800_000_000
"""Where a treaty's time stands unless a test says otherwise: January 2027."""
DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class OfficerMaterial:
    """An officer: the name that others see, the key, and the certificate (DER) of the own Party's CA over it."""

    name: OfficerName
    signer: SoftwareSigner
    certificate: bytes


@dataclass(frozen=True, kw_only=True)
class NodeMaterial:
    """What a node serves TLS with.

    Attributes:
        ca: the authority that issued it: the TLS anchor that everybody pins, and its key.
        tls_key: P-256.
        tls_certificate: DER.
        endpoint: host and port, as the directory lists them.
    """

    name: NodeName
    ca: issuing.Authority
    tls_key: ec.EllipticCurvePrivateKey
    tls_certificate: bytes
    endpoint: str

    @property
    def tls_key_pem(self) -> bytes:
        return key_to_pem(self.tls_key)

    @property
    def peer(self) -> Peer:
        return Peer(name=self.name, endpoint=self.endpoint, anchors=(self.ca.certificate,))


@dataclass(frozen=True, kw_only=True)
class PartyMaterial(NodeMaterial):
    """Everything that one Party holds.

    Attributes:
        party: its code.
        key: authors the Party's entries.
        next_key: the one that alone may replace it; only its hash is in the log.
        signer: the node's signing key.
        officer: the first of its officers.
    """

    party: PartyId
    key: SoftwareSigner
    next_key: SoftwareSigner
    signer: SoftwareSigner
    officer: OfficerMaterial


@dataclass(kw_only=True)
class Treaty:
    """See the module. `now` is the time that is written into what is made next; a test may move it."""

    seed: int
    now: int
    genesis: Genesis
    root: issuing.Authority
    issuer: issuing.Authority
    founders: tuple[SoftwareSigner, ...]
    log_signer: SoftwareSigner
    secretariat: NodeMaterial
    log: list[bytes] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)
    parties: dict[PartyId, PartyMaterial] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        seed: int = 0,
        *,
        founders: int = 3,
        threshold: int = 2,
        domain: str = DOMAIN,
        now: int = NOW,
        first_witnesses: Iterable[str] = (),
    ) -> Treaty:
        """A treaty whose log holds its genesis entry and nothing else. Further entries of all kinds are in `acts`."""
        root_key = root_key_from_seed(secret(seed, "root"))
        root = issuing.Authority(
            certificate=issuing.make_root(key=root_key, now=now, entropy=entropy(seed, "root")), key=root_key
        )
        issuing_key = key_from_seed(secret(seed, "issuing"))
        certificate = issuing.make_issuing_ca(
            make_request(issuing_key), root=root, domain=domain, now=now, entropy=entropy(seed, "issuing")
        )
        issuer = issuing.Authority(certificate=certificate, key=issuing_key)
        name = NodeName(party=None, node_id="one", domain=domain)
        secretariat = _node_material(seed, name, issuer, now, f"{name.dns}:443")
        signers = tuple(SoftwareSigner(secret(seed, f"founder {number}")) for number in range(founders))
        log_signer = SoftwareSigner(secret(seed, "log"))
        genesis = Genesis(
            created=now,
            origin=f"directory.{domain}",
            domain=domain,
            log_key=log_signer.public_key,
            root_certificate=root.certificate,
            issuing_ca=issuer.certificate,
            secretariat_ca=secretariat.ca.certificate,
            founders=tuple(sorted(founder.public_key for founder in signers)),
            founders_threshold=threshold,
            witness_wait_s=7 * DAY,
            recovery_wait_s=14 * DAY,
            first_witnesses=tuple(sorted(map(PartyId, first_witnesses))),
        )
        treaty = cls(
            seed=seed,
            now=now,
            genesis=genesis,
            root=root,
            issuer=issuer,
            founders=signers,
            log_signer=log_signer,
            secretariat=secretariat,
        )
        treaty.enter(genesis, *signers, log_signer)
        return treaty

    def copy(self) -> Treaty:
        """A treaty that goes on by itself from here."""
        return replace(self, log=[*self.log], tree=self.tree.copy(), parties={**self.parties})

    @property
    def domain(self) -> str:
        """The DNS domain of all certificates."""
        return self.genesis.domain

    @property
    def genesis_digest(self) -> bytes:
        """How everybody knows this directory."""
        return genesis_digest(self.log[0])

    # --- what a Party holds, and what it says ---

    def material(self, party: str, *, node_id: str = "one", endpoint: str = "") -> PartyMaterial:
        """The keys and certificates of a Party, admitted or not: always the same for the same arguments and time."""
        name = NodeName(party=PartyId(party), node_id=node_id, domain=self.domain)
        node = _node_material(self.seed, name, self.issuer, self.now, endpoint or f"{name.dns}:443")
        return PartyMaterial(
            name=name,
            ca=node.ca,
            tls_key=node.tls_key,
            tls_certificate=node.tls_certificate,
            endpoint=node.endpoint,
            party=PartyId(party),
            key=SoftwareSigner(secret(self.seed, f"party key {party}")),
            next_key=SoftwareSigner(secret(self.seed, f"next party key {party}")),
            signer=SoftwareSigner(secret(self.seed, f"signing {name.dns}")),
            officer=self.officer(party, ca=node.ca),
        )

    def officer(self, party: str, label: str = "first", *, ca: issuing.Authority | None = None) -> OfficerMaterial:
        """An officer of a Party; other labels are other officers."""
        signer = SoftwareSigner(secret(self.seed, f"officer {party} {label}"))
        officer_id = secret(self.seed, f"officer id {party} {label}").hex()[:12]
        name = OfficerName(party=PartyId(party), officer_id=officer_id, domain=self.domain)
        certificate = issuing.issue_officer_certificate(
            signer.public_key,
            name=name,
            ca=ca or self.parties[PartyId(party)].ca,
            now=self.now,
            entropy=entropy(self.seed, f"officer {party} {label}"),
        )
        return OfficerMaterial(name=name, signer=signer, certificate=certificate)

    def admission(self, material: PartyMaterial) -> Admit:
        """What founders and the Party sign."""
        return Admit(
            created=self.now,
            party=material.party,
            party_key=material.key.public_key,
            next_key_hash=hashlib.sha256(material.next_key.public_key).digest(),
            party_ca=material.ca.certificate,
            issuing_ca=self.issuer.certificate,
        )

    def node_entry(self, material: PartyMaterial, *, serial: int = 1) -> NodeEntry:
        """What a Party says of its node."""
        return NodeEntry(
            created=self.now,
            party=material.party,
            serial=serial,
            node=material.name,
            endpoint=material.endpoint,
            signing_key=material.signer.public_key,
            suites=(SUITE,),
            min_suite=SUITE,
        )

    def update(self, material: PartyMaterial, *, serial: int = 1, region: bool = False, pattern_set: bytes = b"") -> Update:
        """What a Party says of itself. `pattern_set` is an encoded set, whose version is taken to be the serial."""
        return Update(
            created=self.now,
            party=material.party,
            serial=serial,
            display_name=f"Party {material.party.upper()}",
            region=region,
            authorities=(Authority(kind=AuthorityKind.CUSTOMS, name=f"Customs of {material.party.upper()}"),),
            contacts=(Contact(name="Focal point", address=f"focal-point@{material.party}.example"),),
            pattern_set_version=serial if pattern_set else 0,
            pattern_set_digest=hashlib.sha256(pattern_set).digest() if pattern_set else b"",
        )

    def mandate(self, *, region: str, member: str, serial: int = 1, not_after: int | None = None) -> Mandate:
        """What a region and a member sign together; it ends after a year unless another end is given."""
        return Mandate(
            created=self.now,
            region=PartyId(region),
            member=PartyId(member),
            serial=serial,
            not_after=self.now + 365 * DAY if not_after is None else not_after,
        )

    # --- the log ---

    def enter(self, body: EntryBody, *signers: Signer) -> int:
        """Log a body with these signatures, whether it keeps the rules or not; gives its index."""
        return self.append(compose_entry(body, signers))

    def append(self, leaf: bytes) -> int:
        """Log any bytes as a leaf; gives their index."""
        self.log.append(leaf)
        self.tree.append(leaf)
        return len(self.log) - 1

    def admit(self, party: str, *, node_id: str = "one", endpoint: str = "", with_node: bool = True) -> PartyMaterial:
        """Log a Party's admission, signed by as many founders as have to, and its node."""
        material = self.material(party, node_id=node_id, endpoint=endpoint)
        self.enter(self.admission(material), *self.founders[: self.genesis.founders_threshold], material.key)
        if with_node:
            self.enter(self.node_entry(material), material.key)
        self.parties[material.party] = material
        return material

    def announce(self, material: PartyMaterial, *, serial: int = 1, region: bool = False, pattern_set: bytes = b"") -> int:
        """Log what a Party says of itself; gives the index."""
        return self.enter(self.update(material, serial=serial, region=region, pattern_set=pattern_set), material.key)

    def give_mandate(self, *, region: PartyMaterial, member: PartyMaterial, serial: int = 1, not_after: int | None = None) -> int:
        """Log a mandate that both sides signed; gives the index."""
        body = self.mandate(region=region.party, member=member.party, serial=serial, not_after=not_after)
        return self.enter(body, region.key, member.key)

    def checkpoint(self, size: int | None = None) -> bytes:
        """The log's signed note about its first `size` entries; all of them unless a size is given."""
        frontier = self.tree.frontier if size is None else merkle.frontier_at(size, self.tree.read_node)
        return sign_checkpoint(self.genesis.origin, frontier, self.log_signer)

    def replica(self, size: int | None = None, *, witnesses: Iterable[PartyMaterial] = ()) -> Replica:
        """The directory as a node accepts it that has read the first `size` entries, cosigned by these Parties' nodes."""
        leaves = self.log[1:] if size is None else self.log[1:size]
        replica = extend(open_genesis(self.log[0], self.genesis_digest), leaves, self.checkpoint(size))
        for witness in witnesses:
            offered = cosign_checkpoint(replica, witness.signer, name=witness.name.dns, now=self.now)
            entry = replica.roster.node(witness.party)
            replica = replace(replica, note=add_cosignature(replica, entry, offered))
        return replica

    @property
    def roster(self) -> Roster:
        """Who is who, after all entries so far."""
        return self.replica().roster

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The path from an entry to the root of the tree with `size` entries."""
        return merkle.inclusion_proof(index, self.tree.size if size is None else size, self.tree.read_node)


def secret(seed: int, label: str) -> bytes:
    """The 32 secret bytes that a treaty of this seed has under a label."""
    return hashlib.sha256(f"{seed}/{label}".encode()).digest()


def entropy(seed: int, label: str) -> Entropy:
    """Bytes that look unpredictable: always the same stream for one seed and label."""
    drawn = 0

    def draw(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{seed}/{label}/{drawn}".encode()).digest(size)

    return draw


def _node_material(seed: int, name: NodeName, issuer: issuing.Authority, now: int, endpoint: str) -> NodeMaterial:
    ca_key = key_from_seed(secret(seed, f"ca {name.trust_domain}"))
    ca_certificate = issuing.issue_party_ca(
        make_request(ca_key),
        party=name.party,
        issuer=issuer,
        domain=name.domain,
        now=now,
        entropy=entropy(seed, f"ca {name.trust_domain}"),
    )
    ca = issuing.Authority(certificate=ca_certificate, key=ca_key)
    tls_key = key_from_seed(secret(seed, f"tls {name.dns}"))
    tls_certificate = issuing.issue_node_certificate(
        make_request(tls_key), name=name, ca=ca, now=now, entropy=entropy(seed, f"tls {name.dns}")
    )
    return NodeMaterial(name=name, ca=ca, tls_key=tls_key, tls_certificate=tls_certificate, endpoint=endpoint)
