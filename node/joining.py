"""Joining: from a join code to a folder that `gsp party run` starts, step by step, resumed from wherever it was interrupted.

    joining.json        how far it is; no secret in it
    keystore            every key, made on this machine
    node.toml           settings of the node
    directory.sqlite    the log

The next Party key is shown once and forgotten: only its hash goes into the log, and only that key can ever replace the Party key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from federation.boundary.directory import genesis_digest, open_genesis, sign_body
from federation.errors import Conflict, NotFound, Unauthentic
from federation.identity import NodeName, OfficerName, PartyId
from federation.trust.certificate import read_party_ca
from federation.trust.enrolment import Step
from federation.trust.entries import Admit, EntryKind
from federation.trust.fingerprint import fingerprint
from federation.trust.issuing import Authority, issue_officer_certificate, make_request
from federation.trust.join_code import JoinCode
from federation.trust.keys import Signer, SoftwareSigner
from federation.uim.pattern import PatternSet
from federation.wire.directory import decode_entry_body
from node.config import NodeSettings, write_settings
from node.formats.particulars import own_particulars
from node.formats.patterns import read_own_set
from node.joining_state import STATE_FILE, JoiningState, heard, read_state, write_state
from node.keystore import PIN, Cost, Custody, Keystore
from node.line import Following, Start, following, node_name
from node.rpc.enrolment import GrpcEnrolment, enrolling
from node.use_cases.announcing import Particulars, Patience, announce, follow_pending, wanted_node, wanted_update
from node.use_cases.founding import SEED_BYTES
from node.use_cases.own_keys import ca_key_hash
from node.use_cases.registry import Registry
from node.use_cases.registry_values import Admission, EnrolmentState
from node.use_cases.world import World

POLL_S: Final = 0.5
"""How often the Secretariat is asked how far it is: a person waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What a Party joins with.

    Attributes:
        genesis: digest of the genesis entry, got by another way than the network.
        settings: of the node to be; `genesis`, `domain`, `secretariat` and `secretariat_join` are filled in from the admission.
        with_node: False for a Party that runs no node and lets a region answer.
        pin: of the token that the settings name; None without one.
        wait_s: how long to wait for the founders before giving up for now.
        show_next_key: called once with the seed of the next Party key, in hexadecimal.
        tell: called with each step in words.
    """

    home: Path
    code: JoinCode
    genesis: bytes
    settings: NodeSettings
    with_node: bool
    passphrase: bytes = field(repr=False)
    cost: Cost
    pin: bytes | None = field(default=None, repr=False)
    wait_s: float
    show_next_key: Callable[[str], None]
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A Party that stands in the log.

    Attributes:
        fingerprint: of the entry that admits the Party, for reading aloud.
        officer, officer_seed, officer_certificate: the first officer, made here.
        party_ca: DER.
    """

    party: PartyId
    fingerprint: str
    node: NodeName
    desk: str
    officer: OfficerName
    officer_seed: bytes = field(repr=False)
    officer_certificate: bytes
    party_ca: bytes


async def join(joining: Joining, world: World) -> Joined:
    """Go on from wherever it was interrupted, up to a Party in the log with its settings on disk.

    Raises:
        Conflict: founders have not signed yet; run the same command again later.
        Unauthentic: the Secretariat is another one than the genesis digest names, or issued something else than was asked for.
    """
    joining.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    keystore = _keystore(joining, world)
    with Custody.open(keystore, owner=joining.code.party, token=joining.settings.pkcs11) as custody:
        return await _join(joining, custody, world)


async def _join(joining: Joining, custody: Custody, world: World) -> Joined:
    state = _keys(joining, custody, world)
    async with enrolling(joining.code, clock=world.clock) as enrolment:
        await _enrol(joining, custody, state, enrolment, now=world.now())
        admit, seen = _admission(joining, custody, state)
        joining.tell(f"fingerprint of this Party's keys, to be read aloud both ways: {seen}")
        await _accept(joining, custody, state, enrolment, world)
    settings = _settings(joining, admit, state)
    sets = read_sets(joining.home, settings)
    ca = Authority(certificate=admit.party_ca, key=custody.authority_key("ca"))
    start = Start(first_leaf=bytes.fromhex(state.genesis_leaf), secretariat_ca=_first_anchor(state, world))
    patience = Patience(wait_s=joining.wait_s, tell=joining.tell)
    async with following(joining.home, settings, ca, world, start=start, patience=patience) as line:
        if own_admission(line.registry, admit.party) != admit:
            raise Unauthentic(
                "the directory lists other keys for this Party than this machine made",
                hint="tell the founders by telephone at once",
            )
        signing_key = custody.signer("signing").public_key if joining.with_node else None
        says = own_particulars(joining.home, settings, sets)
        await announce_settings(
            line, settings, says, author=custody.signer("party"), signing_key=signing_key, world=world, patience=patience
        )
    joining.tell("name, patterns and node stand in the directory" if joining.with_node else "name and patterns stand there")
    write_settings(joining.home / "node.toml", settings)
    return first_officer(settings, ca, world, seen=seen)


def _keystore(joining: Joining, world: World) -> Keystore:
    """The file that holds what lies in no token, and the token's PIN."""
    path = joining.home / "keystore"
    if path.exists():
        keystore = Keystore.open(path, joining.passphrase)
    else:
        keystore = Keystore.create(path, joining.passphrase, world.entropy, cost=joining.cost)
    if joining.pin is not None:
        keystore.put(PIN, joining.pin, replace=True)
    if "storage" not in keystore.names():
        keystore.put("storage", world.entropy(SEED_BYTES))
    return keystore


def _keys(joining: Joining, custody: Custody, world: World) -> JoiningState:
    """All keys, made here. The next Party key is shown before the state that commits to it is written."""
    known = read_state(joining.home) if (joining.home / STATE_FILE).exists() else None
    if known is not None and known.party != joining.code.party:
        raise Conflict(f"{joining.home} belongs to {known.party}", hint="choose an empty folder")
    for name in ("party", "ca", "signing"):
        custody.make(name, world.entropy)
    if known is not None:
        return known
    next_seed = world.entropy(SEED_BYTES)
    joining.show_next_key(next_seed.hex())
    next_key_hash = sha256(SoftwareSigner(next_seed).public_key).hexdigest()
    state = JoiningState(party=joining.code.party, next_key_hash=next_key_hash)
    write_state(joining.home, state)
    return state


async def _enrol(joining: Joining, custody: Custody, state: JoiningState, enrolment: GrpcEnrolment, *, now: int) -> None:
    """Get the entry to be signed, or the same one again: where the Secretariat is reached may have changed meanwhile."""
    known = state.admit_body
    if not known:
        joining.tell("sending this Party's public keys to the Secretariat")
    admission: Admission = await enrolment.enrol(
        party_ca_request=make_request(custody.authority_key("ca")),
        party_key=custody.signer("party").public_key,
        next_key_hash=bytes.fromhex(state.next_key_hash),
    )
    open_genesis(admission.genesis_leaf, joining.genesis)  # or this is another Secretariat
    if known and admission.admit_body.hex() != known:
        raise Unauthentic("the Secretariat laid out another admission than before", hint="tell the founders by telephone at once")
    state.admit_body = admission.admit_body.hex()
    state.directory_endpoint = admission.directory_endpoint
    state.genesis_leaf = admission.genesis_leaf.hex()
    state.secretariat_ca, state.secretariat_issuer = admission.secretariat_ca.hex(), admission.secretariat_issuer.hex()
    _admission(joining, custody, state)
    if known:
        write_state(joining.home, state)
    else:
        state.step = Step.ENROLLED
        heard(joining.home, state, None, now=now)


def _admission(joining: Joining, custody: Custody, state: JoiningState) -> tuple[Admit, str]:
    """The entry that admits us, held against what we asked for, and its fingerprint: of the very bytes that founders sign."""
    genesis = open_genesis(bytes.fromhex(state.genesis_leaf), joining.genesis).genesis
    admit = decode_entry_body(EntryKind.ADMIT, bytes.fromhex(state.admit_body))
    if not isinstance(admit, Admit):
        raise Unauthentic("the Secretariat sent something else than an admission")
    own_key = custody.signer("party").public_key
    expected = (joining.code.party, own_key, bytes.fromhex(state.next_key_hash))
    if (admit.party, admit.party_key, admit.next_key_hash) != expected:
        raise Unauthentic("the Secretariat put other keys into the admission than this machine made")
    ca = read_party_ca(
        admit.party_ca,
        party=admit.party,
        domain=genesis.domain,
        issuing_ca=admit.issuing_ca,
        root=genesis.root_certificate,
        now=admit.created,
    )
    if sha256(ca.public_key_info).digest() != ca_key_hash(custody.authority_key("ca")):
        raise Unauthentic("the Secretariat issued the CA for another key than this machine made")
    return admit, fingerprint(bytes.fromhex(state.admit_body))


async def _accept(joining: Joining, custody: Custody, state: JoiningState, enrolment: GrpcEnrolment, world: World) -> None:
    """Sign the acceptance, and wait for the founders and then for the witnesses."""
    signer = custody.signer("party")
    progress = await enrolment.accept(sign_body(EntryKind.ADMIT, bytes.fromhex(state.admit_body), signer))
    told = ""
    try:
        async with asyncio.timeout(joining.wait_s):
            while progress.step is not Step.LOGGED:
                told = _tell_waiting(joining, progress, told)
                heard(joining.home, state, progress, now=world.now())
                await asyncio.sleep(POLL_S)
                progress = await enrolment.status()
    except TimeoutError:
        raise Conflict(
            progress.words,
            hint="run the same command again later; it goes on from here",
        ) from None
    heard(joining.home, state, progress, now=world.now())
    joining.tell("the directory lists this Party")


def _tell_waiting(joining: Joining, progress: EnrolmentState, told: str) -> str:
    words = progress.words
    if words != told:
        joining.tell(words)
    return words


def _settings(joining: Joining, admit: Admit, state: JoiningState) -> NodeSettings:
    genesis = open_genesis(bytes.fromhex(state.genesis_leaf), joining.genesis).genesis
    return msgspec.structs.replace(
        joining.settings,
        party=admit.party,
        domain=genesis.domain,
        genesis=joining.genesis.hex(),
        secretariat=state.directory_endpoint,
        secretariat_join=joining.code.address,
    )


OWN_PATTERNS: Final = "own-patterns.toml"
"""What `gsp pattern publish` wrote last; it takes the place of the set of this Party among those that the settings name."""


def read_sets(home: Path, settings: NodeSettings) -> tuple[PatternSet, ...]:
    """The pattern sets that this node answers with: those that the settings name, and the one that was published since.

    Raises:
        InvalidConfiguration: a file is missing or wrong.
    """
    named = tuple(read_own_set(home / name) for name in settings.patterns)
    if not (home / OWN_PATTERNS).exists():
        return named
    published = read_own_set(home / OWN_PATTERNS)
    return (published, *(one for one in named if one.party != published.party))


def _first_anchor(state: JoiningState, world: World) -> bytes:
    """The CA of the Secretariat's node, when it is not the genesis entry's any more: it leads to the treaty root, or is refused.

    It is believed for the first read of a log that is checked by itself; from then on the log says which CAs the Secretariat has.
    """
    der = bytes.fromhex(state.secretariat_ca)
    if der:
        leaf = bytes.fromhex(state.genesis_leaf)
        genesis = open_genesis(leaf, genesis_digest(leaf)).genesis
        read_party_ca(
            der,
            party=None,
            domain=genesis.domain,
            issuing_ca=bytes.fromhex(state.secretariat_issuer),
            root=genesis.root_certificate,
            now=world.now(),
        )
    return der


async def announce_settings(
    line: Following,
    settings: NodeSettings,
    says: Particulars,
    *,
    author: Signer,
    signing_key: bytes | None,
    world: World,
    patience: Patience | None = None,
) -> None:
    """Bring the log to what the settings say, under the Party key. What was submitted before and still waits is waited for first.

    Args:
        line: to the Secretariat.
        settings: of this node.
        says: what the Party says of itself.
        author: the Party key.
        signing_key: what the node entry lists; None for a Party without a node.
        world: the clock.
        patience: for witnesses, where somebody waits.
    """
    await follow_pending(line.registry, line.service, line.secretariat, patience=patience)
    roster, now = line.registry.roster, world.now()
    update = wanted_update(roster, settings.party_id, says, now=now)
    node = (
        wanted_node(
            roster, settings.party_id, name=node_name(settings), endpoint=settings.endpoint, signing_key=signing_key, now=now
        )
        if signing_key is not None
        else None
    )
    await announce(line.registry, line.service, line.secretariat, bodies=[update, node], signer=author, patience=patience)


def first_officer(settings: NodeSettings, ca: Authority, world: World, *, seen: str) -> Joined:
    """The first officer's key and certificate, so that somebody can ask and answer at once."""
    seed = world.entropy(SEED_BYTES)
    officer = OfficerName(party=settings.party_id, officer_id=world.entropy(8).hex(), domain=settings.domain)
    certificate = issue_officer_certificate(
        SoftwareSigner(seed).public_key, name=officer, ca=ca, now=world.now(), entropy=world.entropy
    )
    return Joined(
        party=settings.party_id,
        fingerprint=seen,
        node=node_name(settings),
        desk=settings.desk,
        officer=officer,
        officer_seed=seed,
        officer_certificate=certificate,
        party_ca=ca.certificate,
    )


def own_admission(registry: Registry, party: PartyId) -> Admit:
    """Our own admission, from the replica.

    Raises:
        NotFound: the replica here does not list this Party yet.
    """
    record = registry.roster.parties.get(party)
    if record is None:
        raise NotFound(f"the directory here does not list {party} yet", hint="finish joining with `gsp party join`")
    return record.admit
