"""The beginning of a treaty's federation: keys, certificates and the genesis entry. And a Party's own keys when it joins.

Everything is made from seeds, so a keystore keeps 32 bytes for each key. The parts are made by people on machines of their own: the
root's holder, each founder, the Secretariat (docs/protocol.md, "The founding ceremony"). `found` plays all of them in one place,
for trying out and for tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from federation import limits
from federation.boundary.directory import genesis_digest, join_signatures, open_genesis, sign_body
from federation.errors import Conflict, InvalidInput, Malformed, Unauthentic
from federation.identity import NodeName, PartyId, check_domain
from federation.trust import directory, keys
from federation.trust.certificate import read_issuing_ca
from federation.trust.entries import EntryKind, Genesis, Signature
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
from federation.trust.keys import Signer, SoftwareSigner
from federation.wire.directory import decode_entry_body, encode_entry_body
from node.use_cases.world import World

SEED_BYTES = 32
WITNESS_WAIT_S = 7 * 86_400
RECOVERY_WAIT_S = 14 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the treaty body decides before anything is made; the rest of a genesis entry follows from the keys.

    Attributes:
        founders: their public keys; the order does not matter.
        threshold: how many of them sign together.
        first_witnesses: Parties whose nodes count as witnesses from their first entry on.
        confirmations: how many other Parties confirm a newcomer before it is asked without a word.
    """

    domain: str
    founders: tuple[bytes, ...]
    threshold: int
    first_witnesses: tuple[PartyId, ...] = ()
    confirmations: int = 0

    def __post_init__(self) -> None:
        check_domain(self.domain)
        if not 1 <= self.threshold <= len(set(self.founders)) == len(self.founders) <= limits.FOUNDERS_MAX:
            raise InvalidInput(
                f"1 to {limits.FOUNDERS_MAX} different founders, of whom at least one and at most all have to sign"
            )
        if not 0 <= self.confirmations <= limits.CONFIRMATIONS_MAX:
            raise InvalidInput(f"at most {limits.CONFIRMATIONS_MAX} Parties confirm a newcomer")
        for key in self.founders:
            keys.check_public_key(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretariatSeeds:
    """Of the keys that stay with the Secretariat."""

    issuing: bytes = field(repr=False)
    log: bytes = field(repr=False)
    ca: bytes = field(repr=False)
    join: bytes = field(repr=False)


def make_secretariat_seeds(world: World) -> SecretariatSeeds:
    """Fresh keys for a Secretariat."""
    return SecretariatSeeds(**{name: world.entropy(SEED_BYTES) for name in ("issuing", "log", "ca", "join")})


def root_authority(world: World, seed: bytes) -> Authority:
    """The treaty root with a certificate of now."""
    key = root_key_from_seed(seed)
    return Authority(certificate=make_root(key=key, now=world.now(), entropy=world.entropy), key=key)


def sign_issuing_ca(world: World, root: Authority, request: bytes, *, domain: str) -> bytes:
    """The root's one act: it signs the CA that admits Parties.

    Raises:
        Malformed, Unauthentic: the request is refused.
        Conflict: the root is no longer valid.
    """
    return make_issuing_ca(request, root=root, domain=domain, now=world.now(), entropy=world.entropy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The genesis entry before anybody has signed it.

    Attributes:
        body: the exact bytes to be signed.
        ca: the Secretariat's own CA, DER.
    """

    body: bytes
    ca: bytes


def draft_genesis(world: World, plan: Plan, seeds: SecretariatSeeds, *, root: bytes, issuing_ca: bytes) -> Draft:
    """Make the Secretariat's own CA, and the entry that all founders sign.

    Args:
        world: clock and entropy.
        plan: what the treaty body decided.
        seeds: the Secretariat's.
        root: DER of the treaty root, as its holder gave it.
        issuing_ca: DER of what the root signed.

    Raises:
        Unauthentic, Malformed: the root did not sign that CA for this domain.
        Conflict: the CA is for another key than this Secretariat's.
        InvalidInput: the log key is a founder's too.
    """
    now = world.now()
    read_issuing_ca(issuing_ca, root=root, domain=plan.domain, now=now)
    issuing = Authority(certificate=issuing_ca, key=key_from_seed(seeds.issuing))
    request = make_request(key_from_seed(seeds.ca))
    ca = issue_party_ca(request, party=None, issuer=issuing, domain=plan.domain, now=now, entropy=world.entropy)
    log_key = SoftwareSigner(seeds.log).public_key
    genesis = Genesis(
        created=now,
        origin=f"{plan.domain}/directory",
        domain=plan.domain,
        log_key=log_key,
        root_certificate=root,
        issuing_ca=issuing_ca,
        secretariat_ca=ca,
        founders=tuple(sorted(plan.founders)),
        founders_threshold=plan.threshold,
        witness_wait_s=WITNESS_WAIT_S,
        recovery_wait_s=RECOVERY_WAIT_S,
        first_witnesses=tuple(sorted(plan.first_witnesses)),
        confirmations=plan.confirmations,
    )
    return Draft(body=encode_entry_body(genesis), ca=ca)


def assemble_genesis(body: bytes, signatures: Iterable[Signature], log: Signer) -> bytes:
    """The first leaf of the log, once every founder has signed; the log key's signature is added here.

    Raises:
        Conflict: founders are missing.
        Unauthentic: a signature is no founder's, or not over this entry.
    """
    genesis = read_genesis_body(body)
    message = directory.entry_message(EntryKind.GENESIS, body)
    signed = {one.public_key: one for one in signatures}
    for one in signed.values():
        if one.public_key not in genesis.founders:
            raise Unauthentic("somebody signed the genesis entry who is no founder in it")
        keys.verify(public_key=one.public_key, message=message, signature=one.signature)
    if len(signed) < len(genesis.founders):
        raise Conflict(
            f"{len(signed)} of {len(genesis.founders)} founders have signed the genesis entry; all of them have to",
            hint="collect the other signature files; nothing was changed",
        )
    leaf = join_signatures(EntryKind.GENESIS, body, [*signed.values(), sign_body(EntryKind.GENESIS, body, log)])
    open_genesis(leaf, genesis_digest(leaf))
    return leaf


def read_genesis_body(body: bytes) -> Genesis:
    """The genesis entry in some bytes.

    Raises:
        Malformed: they are none.
    """
    genesis = decode_entry_body(EntryKind.GENESIS, body)
    if not isinstance(genesis, Genesis):
        raise Malformed("these bytes are no genesis entry")
    return genesis


def make_join_certificate(world: World, ca: Authority, seed: bytes, *, domain: str) -> bytes:
    """What the join port shows, DER."""
    request = make_request(key_from_seed(seed))
    return issue_join_certificate(request, name=secretariat_name(domain), ca=ca, now=world.now(), entropy=world.entropy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """What founding makes, when one process plays every part.

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
    """Make a treaty in one place: every key, every certificate, and the genesis entry.

    Raises:
        InvalidInput: thresholds that make no sense.
        Malformed: not a DNS domain.
    """
    root_seed, seeds = world.entropy(SEED_BYTES), make_secretariat_seeds(world)
    founder_seeds = tuple(world.entropy(SEED_BYTES) for _ in range(min(founders, limits.FOUNDERS_MAX + 1)))
    signers = [SoftwareSigner(seed) for seed in founder_seeds]
    plan = Plan(
        domain=domain,
        founders=tuple(signer.public_key for signer in signers),
        threshold=threshold,
        first_witnesses=first_witnesses,
        confirmations=confirmations,
    )
    root = root_authority(world, root_seed)
    issuing_ca = sign_issuing_ca(world, root, make_request(key_from_seed(seeds.issuing)), domain=domain)
    draft = draft_genesis(world, plan, seeds, root=root.certificate, issuing_ca=issuing_ca)
    signatures = [sign_body(EntryKind.GENESIS, draft.body, signer) for signer in signers]
    leaf = assemble_genesis(draft.body, signatures, SoftwareSigner(seeds.log))
    ca = Authority(certificate=draft.ca, key=key_from_seed(seeds.ca))
    return Founded(
        genesis_leaf=leaf,
        digest=genesis_digest(leaf),
        root_seed=root_seed,
        founder_seeds=founder_seeds,
        issuing_seed=seeds.issuing,
        log_seed=seeds.log,
        ca_seed=seeds.ca,
        join_seed=seeds.join,
        issuing_ca=issuing_ca,
        ca=draft.ca,
        join_certificate=make_join_certificate(world, ca, seeds.join, domain=domain),
    )


def secretariat_name(domain: str) -> NodeName:
    """The Secretariat's one node."""
    return NodeName(party=None, node_id="n1", domain=domain)


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
