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
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from federation import limits
from federation.errors import FederationError
from federation.ports import Peer
from federation.trust.certificate import read_pinned_ca
from federation.trust.desk_code import ca_key_hash
from federation.trust.keys import Signer
from federation.uim.codes import Label
from federation.uim.pattern import PatternSet
from node import __version__
from node.formats.patterns import read_pattern_folder
from node.ground import (
    Ground,
    desk_ca,
    identity_of,
    lay_ground,
    officer_parts,
    own_ca,
    standing_cas,
)
from node.joining import announce_settings
from node.keystore.custody import named_key
from node.line import Following, node_name
from node.officers import take_requests
from node.resources import patterns_folder
from node.returning import old_copies_in
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
from node.store.spool import FolderSpool
from node.use_cases.attachments import AttachmentPorts
from node.use_cases.diagnosis import Facts
from node.use_cases.directory_reads import DirectoryReads
from node.use_cases.founding import secretariat_name
from node.use_cases.library_reads import LibraryReads
from node.use_cases.own_keys import DEFAULT_STANDS, StandingSigner, Stands
from node.use_cases.participant import participating
from node.use_cases.parts import Participant, Parts
from node.use_cases.peer_book import PeerBook
from node.use_cases.world import Own

logger = logging.getLogger(__name__)

ANNOUNCE_RETRY_S: Final = 30.0
"""What the settings say is brought into the directory this often, until it stands there."""


OWN_SETS_LOOK_S: Final = 5.0
"""The files of the own patterns are looked at this often: whoever publishes waits a moment, and nobody restarts the node."""


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
        ground = await lay_ground(stack, home, passphrase, stands)
        identity, desk = identity_of(ground, own_ca), identity_of(ground, desk_ca)
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


def _parts(ground: Ground, identity: Identity, channels: Channels) -> Parts:
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
        officers=officer_parts(ground),
        own_keys=ground.own_keys,
        facts=lambda: _facts(ground, identity, channels),
    )


def _facts(ground: Ground, identity: Identity, channels: Channels) -> Facts:
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
    ground: Ground, identity: Identity, desk: Identity, participant: Participant, book: PeerBook
) -> AsyncIterator[None]:
    """Both ports: other nodes with certificates, and the own officers with signatures."""
    settings, world = ground.settings, ground.world
    reads = DirectoryReads(ground.registry)
    gate = OfficerGate(
        node=node_name(settings),
        party=settings.party_id,
        anchors=lambda: standing_cas(ground),
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


def _desk_routes(ground: Ground, participant: Participant, gate: OfficerGate, reads: DirectoryReads) -> Routes:
    """What officers and administrators call, and what an officer calls who has a code and no certificate yet."""
    personnel = participant.personnel

    def ca_key() -> bytes:
        """Of the CA under which the desk is found at this moment, for the codes that are made now."""
        ca = read_pinned_ca(desk_ca(ground).certificate, party=ground.settings.party_id, domain=ground.settings.domain)
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


def _author(ground: Ground) -> Signer:
    """The Party key that the directory lists."""
    listed = ground.registry.roster.party(ground.settings.party_id).party_key
    return named_key(ground.custody, "party", listed if listed is not None else b"")


async def _announce(ground: Ground, parts: Parts, participant: Participant) -> None:
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
