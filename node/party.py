"""One Party's node, put together: everything it needs, for the length of a block.

node.toml            settings
keystore             Party key, Party CA, signing and storage key, as far as they are in no token
directory.sqlite     the log         exchange.sqlite   queries, outbox, journal
patterns.sqlite      pattern sets    trace.sqlite      the Party's own traceability data
officers.sqlite      officers, what they hold, and who used which right
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation import limits
from federation.errors import FederationError, InvalidConfiguration
from federation.evidence.journal import Epoch
from federation.identity import OfficerName
from federation.ports import Peer
from federation.query.policy import Policy
from federation.trust.certificate import read_pinned_ca
from federation.trust.desk_code import ca_key_hash
from federation.trust.issuing import Authority, issue_officer_certificate
from federation.trust.keys import Signer
from federation.uim.codes import Label
from federation.uim.pattern import PatternSet
from node import __version__
from node.clock import SystemClock
from node.config import NodeSettings, read_node_settings, read_policy
from node.formats.patterns import read_pattern_folder
from node.joining import announce_settings
from node.keystore import Custody, Keystore
from node.keystore.custody import named_key
from node.line import Following, node_name
from node.officers import officers_file, take_requests
from node.publishing import OwnSets
from node.resources import patterns_folder
from node.returning import Mark, old_copies_in
from node.rpc.administration import AdministrationServicer
from node.rpc.attachment_desk import AttachmentDeskServicer
from node.rpc.attachments import AttachmentServicer, GrpcAttachments
from node.rpc.audit import AuditServicer
from node.rpc.calls import Call, Routes
from node.rpc.channels import Channels
from node.rpc.desk import DeskServicer
from node.rpc.directory import DirectoryServicer, GrpcDirectory
from node.rpc.exchange import ExchangeServicer, GrpcTransport
from node.rpc.interceptors import desk_chain, node_chain
from node.rpc.introduction import introduction_of
from node.rpc.library import LibraryServicer
from node.rpc.officer import OfficerGate
from node.rpc.officer_enrolment import OfficerEnrolmentServicer
from node.rpc.outbox import OutboxServicer
from node.rpc.parcels import ParcelsServicer
from node.rpc.reconciliation import GrpcReconciliation, ReconciliationServicer
from node.rpc.registry import RegistryServicer
from node.rpc.renewal import Identity
from node.rpc.server import serving
from node.store.directory import SqliteDirectory
from node.store.exchange import SqliteExchange
from node.store.officers import SqliteOfficers
from node.store.patterns import SqlitePatterns
from node.store.spool import FolderSpool
from node.store.trace import SqliteTrace
from node.store.vault import Vault
from node.use_cases.attachments import AttachmentPorts
from node.use_cases.diagnosis import Facts
from node.use_cases.directory_reads import DirectoryReads
from node.use_cases.founding import secretariat_name
from node.use_cases.library_reads import LibraryReads
from node.use_cases.own_keys import DEFAULT_STANDS, OwnKeys, StandingSigner, Stands
from node.use_cases.participant import participating
from node.use_cases.parts import Participant, Parts
from node.use_cases.peer_book import PeerBook
from node.use_cases.personnel import OfficerParts
from node.use_cases.registry import Registry
from node.use_cases.restoring import open_epoch
from node.use_cases.world import Own, World

logger = logging.getLogger(__name__)

ANNOUNCE_RETRY_S: Final = 30.0
"""What the settings say is brought into the directory this often, until it stands there."""


OWN_SETS_LOOK_S: Final = 5.0
"""The files of the own patterns are looked at this often: whoever publishes waits a moment, and nobody restarts the node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What is there before the use cases: settings, keys and open files."""

    home: Path
    settings: NodeSettings
    custody: Custody
    own_keys: OwnKeys
    world: World
    own_sets: OwnSets
    policy: Policy
    directory: SqliteDirectory
    exchange: SqliteExchange
    patterns: SqlitePatterns
    trace: SqliteTrace
    officers: SqliteOfficers
    vault: Vault
    registry: Registry
    epochs: tuple[Epoch, ...]
    mark: Mark


def read_own_policy(home: Path, settings: NodeSettings) -> Policy:
    """The answering policy that the settings name; by hand without one."""
    return read_policy(home / settings.policy) if settings.policy is not None else Policy()


def read_settings(home: Path) -> NodeSettings:
    """The settings in the folder.

    Raises:
        InvalidConfiguration: there are none, or they are wrong.
    """
    if not (home / "node.toml").exists():
        raise InvalidConfiguration(f"{home} holds no node", hint="join first: `gsp party join CODE --home FOLDER`")
    return read_node_settings(home / "node.toml")


@asynccontextmanager
async def running(home: Path, passphrase: bytes, *, stands: Stands = DEFAULT_STANDS) -> AsyncIterator[Participant]:
    """Run the node until the block ends.

    Args:
        home: its folder.
        passphrase: of its keystore.
        stands: how long new keys stand in the directory before they are used.

    Raises:
        InvalidConfiguration, InvalidInput: settings, passphrase or PIN are wrong.
        Conflict: every CA of this Party has ended.
        KeysUnavailable: the token is not there.
        StoreUnavailable: a file cannot be opened.
    """
    async with AsyncExitStack() as stack:
        ground = await _ground(stack, home, passphrase, stands)
        identity, desk = _identity(ground, _own_ca), _identity(ground, _desk_ca)
        channels = await stack.enter_async_context(
            Channels(own=identity.credential, clock=ground.world.clock, version=__version__)
        )
        for one in (identity, desk):
            ground.registry.on_change(one.trust)
        parts = _parts(ground, identity, channels)
        participant = await stack.enter_async_context(participating(parts))
        await stack.enter_async_context(_serving(ground, identity, desk, participant, channels.book))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [
            group.create_task(identity.run(channels)),
            group.create_task(desk.run(None)),
            group.create_task(_announce(ground, parts, participant)),
            group.create_task(take_requests(home, ground.vault, ground.officers, ground.world)),
            group.create_task(ground.mark.watch(ground.directory.restored, ground.world.clock)),
        ]
        try:
            yield participant
        finally:
            for task in tasks:
                task.cancel()


async def _ground(stack: AsyncExitStack, home: Path, passphrase: bytes, stands: Stands) -> _Ground:
    settings = read_settings(home)
    world = World(clock=SystemClock(), entropy=secrets.token_bytes)
    keystore = Keystore.open(home / "keystore", passphrase)
    custody = stack.enter_context(Custody.open(keystore, owner=settings.party, token=settings.pkcs11))
    vault = Vault(keystore.get("storage"), entropy=world.entropy)
    directory = await stack.enter_async_context(SqliteDirectory.open(home / "directory.sqlite"))
    exchange = await stack.enter_async_context(SqliteExchange.open(home / "exchange.sqlite", vault=vault))
    mark = Mark.in_home(home)
    registry = await Registry.load(directory, bytes.fromhex(settings.genesis), world.clock)
    if mark.is_open:
        await directory.mark_restored(restored=True)  # it cosigns nothing until enough others show the same directory
    return _Ground(
        home=home,
        settings=settings,
        custody=custody,
        own_keys=OwnKeys(party=settings.party_id, registry=registry, clock=world.clock, source=custody, stands=stands),
        world=world,
        own_sets=OwnSets(home, settings),
        policy=read_own_policy(home, settings),
        directory=directory,
        exchange=exchange,
        patterns=await stack.enter_async_context(SqlitePatterns.open(home / "patterns.sqlite")),
        trace=await stack.enter_async_context(SqliteTrace.open(home / "trace.sqlite")),
        officers=await stack.enter_async_context(SqliteOfficers.open(officers_file(home), vault=vault)),
        vault=vault,
        registry=registry,
        epochs=await open_epoch(exchange, exchange, own=settings.party_id, world=world, returned=mark.returned),
        mark=mark,
    )


def _own_ca(ground: _Ground) -> Authority:
    """The CA that issues now; what the command line made or gave up since the last look counts."""
    ground.own_keys.refresh()
    return ground.own_keys.ca()


def _desk_ca(ground: _Ground) -> Authority:
    """The CA under which officers find the desk."""
    ground.own_keys.refresh()
    return ground.own_keys.desk_ca()


def _standing_cas(ground: _Ground) -> Sequence[bytes]:
    return ground.registry.roster.anchors().get(ground.settings.party_id, ())


def _officers(ground: _Ground) -> OfficerParts:
    world = ground.world

    def certify(public_key: bytes, name: OfficerName, life_s: int) -> bytes:
        return issue_officer_certificate(
            public_key, name=name, ca=_own_ca(ground), now=world.now(), entropy=world.entropy, life_s=life_s
        )

    return OfficerParts(
        store=ground.officers,
        certify=certify,
        party_cas=lambda: _standing_cas(ground),
        four_eyes=ground.settings.four_eyes,
    )


def _identity(ground: _Ground, ca: Callable[[_Ground], Authority]) -> Identity:
    return Identity(
        world=ground.world,
        ca=lambda: ca(ground),
        name=node_name(ground.settings),
        anchors=ground.registry.roster.anchors(),
    )


def _parts(ground: _Ground, identity: Identity, channels: Channels) -> Parts:
    settings, governance = ground.settings, ground.registry.roster.governance
    signer = StandingSigner(ground.own_keys)
    published = [one for one in read_pattern_folder(patterns_folder()) if _is_published(one)]
    service = GrpcDirectory(channels)
    return Parts(
        own=Own(party=settings.party_id, name=node_name(settings), signer=signer, epochs=ground.epochs),
        world=ground.world,
        version=__version__,
        exchange_store=ground.exchange,
        outbox_store=ground.exchange,
        arrivals=ground.exchange,
        journal=ground.exchange,
        timeline=ground.exchange.timeline,
        peer_store=ground.exchange.timeline,
        book=channels.book,
        reconcile_store=ground.exchange,
        retention_store=ground.exchange,
        retention_s=settings.retention_days * 86_400,
        reconciliation=GrpcReconciliation(channels),
        attachments=AttachmentPorts(
            rows=ground.exchange, spool=FolderSpool(ground.home / "attachments"), transport=GrpcAttachments(channels)
        ),
        pattern_store=ground.patterns,
        trace=ground.trace,
        registry=ground.registry,
        transport=GrpcTransport(channels),
        directory=service,
        telling=service,
        witness_store=ground.directory,
        notice_store=ground.directory,
        secretariat=Peer(
            name=secretariat_name(settings.domain),
            endpoint=settings.secretariat,
            anchors=governance.secretariat_cas,
        ),
        sets=ground.own_sets.sets,
        reference=published,
        policy=ground.policy,
        says=lambda: ground.own_sets.says,
        officers=_officers(ground),
        own_keys=ground.own_keys,
        facts=lambda: _facts(ground, identity, channels),
    )


def _facts(ground: _Ground, identity: Identity, channels: Channels) -> Facts:
    return Facts(
        certificate=identity.window,
        disk_free_bytes=shutil.disk_usage(ground.home).free,
        certificate_problem=identity.problem,
        clocks=channels.clocks,
        returned=ground.mark.returned,
        old_copies=old_copies_in(ground.home, now=ground.world.clock.now()),
    )


def _is_published(pattern_set: PatternSet) -> bool:
    """Sets that are all invented serve demonstrations; a Party of a demonstration publishes its own."""
    return all(pattern.label is Label.PUBLISHED for pattern in pattern_set.patterns)


@asynccontextmanager
async def _serving(
    ground: _Ground, identity: Identity, desk: Identity, participant: Participant, book: PeerBook
) -> AsyncIterator[None]:
    """Both ports: other nodes with certificates, and the own officers with signatures."""
    settings, world = ground.settings, ground.world
    reads = DirectoryReads(ground.registry)
    gate = OfficerGate(
        node=node_name(settings),
        party=settings.party_id,
        anchors=lambda: _standing_cas(ground),
        clock=world.clock,
        entropy=world.entropy,
        standing=participant.personnel.entitlement.standing,
    )

    def heard(call: Call) -> None:
        if (party := call.sender.party) is not None:
            participant.outbox.heard_from(party)
            participant.attachments.heard_from(party)
            book.heard(party, introduction_of(call), at=world.clock.now())

    async with (
        serving(
            settings.listen,
            credentials=identity.tls.node_credentials(),
            routes={
                **ExchangeServicer(participant.exchange).routes(),
                **AttachmentServicer(participant.offering).routes(),
                **DirectoryServicer(reads, participant.notices).routes(),
                **ReconciliationServicer(participant.accounting).routes(),
            },
            interceptors=node_chain(tls=identity.tls, clock=world.clock, timer=time.monotonic, heard=heard, version=__version__),
        ),
        serving(
            settings.desk,
            credentials=desk.tls.guest_credentials(),
            routes=_desk_routes(ground, participant, gate, reads),
            interceptors=desk_chain(timer=time.monotonic),
            reply_bytes_max=limits.DESK_REPLY_BYTES_MAX,
        ),
    ):
        yield


def _desk_routes(ground: _Ground, participant: Participant, gate: OfficerGate, reads: DirectoryReads) -> Routes:
    """What officers and administrators call, and what an officer calls who has a code and no certificate yet."""
    personnel = participant.personnel

    def ca_key() -> bytes:
        """Of the CA under which the desk is found at this moment, for the codes that are made now."""
        ca = read_pinned_ca(_desk_ca(ground).certificate, party=ground.settings.party_id, domain=ground.settings.domain)
        return ca_key_hash(ca.public_key_info)

    administration = AdministrationServicer(personnel.administration, personnel.enrolment, gate, ca_key_sha256=ca_key)
    return {
        **DeskServicer(participant.desk, gate).routes(),
        **AttachmentDeskServicer(participant.attachment_desk, gate).routes(),
        **administration.routes(),
        **OfficerEnrolmentServicer(personnel.enrolment).routes(),
        **RegistryServicer(reads, gate).routes(),
        **ParcelsServicer(participant.parcels, gate).routes(),
        **AuditServicer(participant.auditing, gate).routes(),
        **OutboxServicer(participant.held, gate).routes(),
        **LibraryServicer(LibraryReads(participant.patterns, personnel.entitlement), gate).routes(),
    }


def _author(ground: _Ground) -> Signer:
    """The Party key that the directory lists."""
    listed = ground.registry.roster.party(ground.settings.party_id).party_key
    return named_key(ground.custody, "party", listed if listed is not None else b"")


async def _announce(ground: _Ground, parts: Parts, participant: Participant) -> None:
    """Bring what the settings say into the directory: a new address, a new set of patterns. Tried until it stands there, and again
    when a set was published or withdrawn.
    """
    assert parts.secretariat is not None  # as made above
    stands = False
    while True:
        secretariat = ground.registry.anchored(parts.secretariat)
        line = Following(registry=ground.registry, service=parts.directory, secretariat=secretariat)
        try:
            if ground.own_sets.look():
                stands = False
                await participant.know(ground.own_sets.sets)
            if not stands:
                await announce_settings(
                    line,
                    ground.settings,
                    ground.own_sets.says,
                    author=_author(ground),
                    signing_key=ground.own_keys.announced_signing_key(),
                    world=ground.world,
                )
                stands = True
        except FederationError as error:  # whatever the Secretariat says to it, this node goes on with its work
            logger.warning("the settings are not in the directory yet", extra={"problem": error.code})
        await asyncio.sleep(OWN_SETS_LOOK_S if stands else ANNOUNCE_RETRY_S)
