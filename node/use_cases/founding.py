"""The beginning of a treaty's federation: keys, certificates and the genesis entry. And a Party's own keys when it joins.

Everything is made from seeds, so a keystore keeps 32 bytes for each key. The root's and the founders' keys leave the machine after
this: they are given back to the caller, who writes them where they can be taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256

from federation import limits
from federation.boundary.directory import compose_entry, genesis_digest
from federation.errors import InvalidInput
from federation.identity import NodeName, PartyId, check_domain
from federation.trust.entries import Genesis
from federation.trust.issuing import (
    Authority,
    issue_join_certificate,
    issue_node_certificate,
    issue_party_ca,
    key_from_seed,
    make_issuing_ca,
    make_request,
    make_root,
    root_key_from_seed,
)
from federation.trust.keys import SoftwareSigner
from node.use_cases.world import World

SEED_BYTES = 32
WITNESS_WAIT_S = 7 * 86_400
RECOVERY_WAIT_S = 14 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """What founding makes.

    Attributes:
        genesis_leaf: first leaf of the log.
        digest: by which every node knows this log.
        root_seed, founder_seeds: to be taken off the machine.
        issuing_seed, log_seed, ca_seed, join_seed: for the Secretariat's keystore.
        issuing_ca, ca, join_certificate: DER.
    """

    genesis_leaf: bytes
    digest: bytes
    root_seed: bytes = field(repr=False)
    founder_seeds: tuple[bytes, ...] = field(repr=False)
    issuing_seed: bytes = field(repr=False)
    log_seed: bytes = field(repr=False)
    ca_seed: bytes = field(repr=False)
    join_seed: bytes = field(repr=False)
    issuing_ca: bytes
    ca: bytes
    join_certificate: bytes


def found(
    world: World,
    *,
    domain: str,
    founders: int,
    threshold: int,
    first_witnesses: tuple[PartyId, ...] = (),
    confirmations: int = 0,
) -> Founded:
    """Make a treaty: root, issuing CA, the Secretariat's own CA, log key, founders, and the genesis entry that all founders sign.

    Raises:
        InvalidInput: thresholds that make no sense.
        Malformed: not a DNS domain.
    """
    if not 1 <= threshold <= founders <= limits.FOUNDERS_MAX:
        raise InvalidInput(f"1 to {limits.FOUNDERS_MAX} founders, of whom at least one and at most all have to sign")
    check_domain(domain)
    now = world.now()
    seeds = {name: world.entropy(SEED_BYTES) for name in ("root", "issuing", "log", "ca", "join")}
    founder_seeds = tuple(world.entropy(SEED_BYTES) for _ in range(founders))
    root_key = root_key_from_seed(seeds["root"])
    root = Authority(certificate=make_root(key=root_key, now=now, entropy=world.entropy), key=root_key)
    issuing = _issuing(world, root, seeds["issuing"], domain=domain)
    ca = _secretariat_ca(world, issuing, seeds["ca"], domain=domain)
    signers = [SoftwareSigner(seed) for seed in founder_seeds]
    log = SoftwareSigner(seeds["log"])
    genesis = replace(
        _genesis(now, domain, root=root, issuing=issuing, ca=ca),
        log_key=log.public_key,
        founders=tuple(sorted(signer.public_key for signer in signers)),
        founders_threshold=threshold,
        first_witnesses=tuple(sorted(first_witnesses)),
        confirmations=confirmations,
    )
    leaf = compose_entry(genesis, [*signers, log])
    return Founded(
        genesis_leaf=leaf,
        digest=genesis_digest(leaf),
        root_seed=seeds["root"],
        founder_seeds=founder_seeds,
        issuing_seed=seeds["issuing"],
        log_seed=seeds["log"],
        ca_seed=seeds["ca"],
        join_seed=seeds["join"],
        issuing_ca=issuing.certificate,
        ca=ca.certificate,
        join_certificate=_join_certificate(world, ca, seeds["join"], domain=domain),
    )


def _genesis(now: int, domain: str, *, root: Authority, issuing: Authority, ca: Authority) -> Genesis:
    """The certificates and the waiting times of every treaty; whose keys it is about comes to it."""
    return Genesis(
        created=now,
        origin=f"{domain}/directory",
        domain=domain,
        log_key=b"",
        root_certificate=root.certificate,
        issuing_ca=issuing.certificate,
        secretariat_ca=ca.certificate,
        founders=(),
        founders_threshold=0,
        witness_wait_s=WITNESS_WAIT_S,
        recovery_wait_s=RECOVERY_WAIT_S,
    )


def secretariat_name(domain: str) -> NodeName:
    """The Secretariat's one node."""
    return NodeName(party=None, node_id="n1", domain=domain)


def _issuing(world: World, root: Authority, seed: bytes, *, domain: str) -> Authority:
    key = key_from_seed(seed)
    now = world.now()
    certificate = make_issuing_ca(make_request(key), root=root, domain=domain, now=now, entropy=world.entropy)
    return Authority(certificate=certificate, key=key)


def _secretariat_ca(world: World, issuing: Authority, seed: bytes, *, domain: str) -> Authority:
    key = key_from_seed(seed)
    certificate = issue_party_ca(
        make_request(key), party=None, issuer=issuing, domain=domain, now=world.now(), entropy=world.entropy
    )
    return Authority(certificate=certificate, key=key)


def _join_certificate(world: World, ca: Authority, seed: bytes, *, domain: str) -> bytes:
    request = make_request(key_from_seed(seed))
    return issue_join_certificate(request, name=secretariat_name(domain), ca=ca, now=world.now(), entropy=world.entropy)


def make_node_certificate(world: World, ca: Authority, name: NodeName) -> tuple[bytes, bytes]:
    """A fresh TLS key and its certificate: seed and DER."""
    seed = world.entropy(SEED_BYTES)
    request = make_request(key_from_seed(seed))
    return seed, issue_node_certificate(request, name=name, ca=ca, now=world.now(), entropy=world.entropy)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyKeys:
    """What a Party makes on its own machine when it joins.

    Attributes:
        next_seed: of the next Party key: printed or put on a stick, and not kept on this machine.
        request: CSR of the Party CA, DER.
    """

    party: PartyId
    party_seed: bytes = field(repr=False)
    next_seed: bytes = field(repr=False)
    ca_seed: bytes = field(repr=False)
    signing_seed: bytes = field(repr=False)
    storage_key: bytes = field(repr=False)
    request: bytes

    @property
    def next_key_hash(self) -> bytes:
        """What the log learns of the next Party key."""
        return sha256(SoftwareSigner(self.next_seed).public_key).digest()


def make_party_keys(world: World, party: PartyId) -> PartyKeys:
    """All of a joining Party's keys."""
    ca_seed = world.entropy(SEED_BYTES)
    return PartyKeys(
        party=party,
        party_seed=world.entropy(SEED_BYTES),
        next_seed=world.entropy(SEED_BYTES),
        ca_seed=ca_seed,
        signing_seed=world.entropy(SEED_BYTES),
        storage_key=world.entropy(SEED_BYTES),
        request=make_request(key_from_seed(ca_seed)),
    )
