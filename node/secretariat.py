"""The Secretariat's node, put together: founding it, and running it for the length of a block.

secretariat.toml    settings
keystore            issuing, CA, join and log keys
directory.sqlite    the log           enrolment.sqlite   invitations and admissions under way
certificates/       issuing CA, own CA and the join port's certificate
take-away/          root and founders' keys: to be moved off this machine at once
tray/               where `gsp secretariat invite` and `admit` lay their requests for the running node
pending/            admissions that wait for founders, one file each
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from federation.boundary.directory import Replica, open_genesis, sign_checkpoint
from federation.errors import Conflict, FederationError, InvalidConfiguration
from federation.identity import PartyId
from federation.ports import DirectoryStore, Entropy
from federation.trust.certificate import from_pem, to_pem
from federation.trust.chain import load_certificate
from federation.trust.enrolment import token_hash
from federation.trust.issuing import Authority, key_from_seed, key_to_pem
from federation.trust.join_code import JoinCode, encode_join_code
from federation.trust.keys import SoftwareSigner
from node.clock import SystemClock
from node.config import SecretariatSettings, read_secretariat_settings, write_settings
from node.keystore import Cost, Custody, Keystore
from node.keystore.custody import named_key
from node.returning import Mark
from node.rpc.channels import Channels
from node.rpc.directory import DirectoryServicer, GrpcDirectory
from node.rpc.enrolment import EnrolmentServicer
from node.rpc.interceptors import join_chain, node_chain
from node.rpc.renewal import Identity
from node.rpc.server import serving
from node.rpc.tls import NodeCredential, ServerTls, TlsSnapshot
from node.store.directory import SqliteDirectory
from node.store.enrolment import SqliteEnrolments
from node.store.tray import Approval, Invite, Tray
from node.use_cases.founding import Founded, found, secretariat_name
from node.use_cases.log import Log
from node.use_cases.notices import Notices
from node.use_cases.registry import Registry
from node.use_cases.secretariat import Admissions, write_invitation
from node.use_cases.world import World

logger = logging.getLogger(__name__)

TRAY_S = 0.25
"""How often the running node looks into its tray: a person waits for it."""

RETURN_LOOK_S = 1.0
"""How often a Secretariat that was put back asks the Parties' nodes: people wait for admissions."""

_CERTIFICATES = ("issuing-ca", "ca", "join")
_SECRETS = ("issuing", "log", "ca", "join")


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised:
    """What `gsp secretariat init` tells.

    Attributes:
        genesis: digest in hexadecimal; log_key: in hexadecimal.
        take_away: folder with the keys that have to leave this machine.
    """

    genesis: str
    log_key: str
    take_away: Path


async def initialise(
    home: Path, *, settings: SecretariatSettings, passphrase: bytes, founders: int, threshold: int, world: World, cost: Cost
) -> Initialised:
    """Found a treaty in an empty folder. `settings.genesis` is filled in here.

    Raises:
        Conflict: the folder holds a Secretariat already.
    """
    if (home / "secretariat.toml").exists():
        raise Conflict(f"{home} holds a Secretariat already", hint="choose an empty folder")
    for name in ("certificates", "take-away", "tray", "pending"):
        (home / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    founded = found(world, domain=settings.domain, founders=founders, threshold=threshold)
    keystore = Keystore.create(home / "keystore", passphrase, world.entropy, cost=cost)
    for name, seed in zip(_SECRETS, (founded.issuing_seed, founded.log_seed, founded.ca_seed, founded.join_seed), strict=True):
        keystore.put(name, seed)
    for name, der in zip(_CERTIFICATES, (founded.issuing_ca, founded.ca, founded.join_certificate), strict=True):
        (home / "certificates" / f"{name}.pem").write_bytes(to_pem(der))
    _write_take_away(home / "take-away", founded)
    signer = SoftwareSigner(founded.log_seed)
    async with SqliteDirectory.open(home / "directory.sqlite") as store:
        await _begin_log(store, founded, signer)
    write_settings(
        home / "secretariat.toml",
        SecretariatSettings(
            domain=settings.domain,
            genesis=founded.digest.hex(),
            listen=settings.listen,
            public=settings.public,
            join=settings.join,
            public_join=settings.public_join,
            log_level=settings.log_level,
        ),
    )
    return Initialised(genesis=founded.digest.hex(), log_key=signer.public_key.hex(), take_away=home / "take-away")


def _write_take_away(folder: Path, founded: Founded) -> None:
    seeds = {"root.key": founded.root_seed}
    seeds |= {f"founder-{number}.key": seed for number, seed in enumerate(founded.founder_seeds, start=1)}
    for name, seed in seeds.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(seed.hex() + "\n")


async def _begin_log(store: DirectoryStore, founded: Founded, signer: SoftwareSigner) -> None:
    replica: Replica = open_genesis(founded.genesis_leaf, founded.digest)
    checkpoint = sign_checkpoint(replica.genesis.origin, replica.frontier, signer)
    await store.append(first=0, leaves=[founded.genesis_leaf], checkpoint=checkpoint)


def read_settings(home: Path) -> SecretariatSettings:
    """The settings in the folder."""
    return read_secretariat_settings(home / "secretariat.toml")


def invite(home: Path, party: PartyId, *, entropy: Entropy, now: float) -> str:
    """Lay an invitation into the tray and give the join code. The token is in the code alone; its hash is in the tray."""
    settings = read_settings(home)
    token = entropy(16)
    leaf = from_pem((home / "certificates" / "join.pem").read_bytes())
    Tray(home / "tray").put(Invite(party=party, token_hash=token_hash(token, party), created=int(now)))
    code = JoinCode(address=settings.join_endpoint, party=party, token=token, leaf_sha256=sha256(leaf).digest())
    return encode_join_code(code)


@asynccontextmanager
async def running(home: Path, passphrase: bytes) -> AsyncIterator[SecretariatSettings]:
    """Run the Secretariat's node until the block ends."""
    settings = read_settings(home)
    world = World(clock=SystemClock(), entropy=secrets.token_bytes)
    keystore = Keystore.open(home / "keystore", passphrase)
    async with AsyncExitStack() as stack:
        custody = stack.enter_context(Custody.open(keystore, owner="secretariat", token=settings.pkcs11))
        directory = await stack.enter_async_context(SqliteDirectory.open(home / "directory.sqlite"))
        enrolments = await stack.enter_async_context(SqliteEnrolments.open(home / "enrolment.sqlite"))
        published = await directory.published()
        registry = await Registry.load(directory, bytes.fromhex(settings.genesis), world.clock, published=published)
        identity = _identity(home, custody, settings, registry, world)
        await _come_back(home, registry, identity, world)
        signer = named_key(custody, "log", registry.roster.governance.log_key)
        log = await Log.load(registry=registry, publications=directory, signer=signer)
        notices = await Notices.load(registry, directory, world.clock)
        admissions = Admissions(
            world=world,
            registry=registry,
            log=log,
            store=enrolments,
            issuer=_authority(home, custody, role="issuing", certificate="issuing-ca"),
            directory_endpoint=settings.endpoint,
            genesis_leaf=(await directory.leaves(0, 1))[0],
        )
        await stack.enter_async_context(
            _serving(
                settings,
                _join_credential(home, keystore),
                identity=identity,
                log=log,
                notices=notices,
                admissions=admissions,
            )
        )
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [
            group.create_task(identity.run(None)),
            group.create_task(_empty_tray(home, enrolments, admissions)),
        ]
        try:
            yield settings
        finally:
            for task in tasks:
                task.cancel()


def _identity(home: Path, custody: Custody, settings: SecretariatSettings, registry: Registry, world: World) -> Identity:
    """Its TLS certificate, which follows the directory."""
    own_ca = _authority(home, custody, role="ca", certificate="ca")
    identity = Identity(
        world=world,
        ca=lambda: own_ca,
        name=secretariat_name(settings.domain),
        anchors=registry.roster.anchors(),
    )
    registry.on_change(identity.trust)
    return identity


@asynccontextmanager
async def _serving(
    settings: SecretariatSettings,
    join: NodeCredential,
    *,
    identity: Identity,
    log: Log,
    notices: Notices,
    admissions: Admissions,
) -> AsyncIterator[None]:
    """Both ports: nodes with certificates, and joining Parties without one."""
    join_tls = ServerTls(TlsSnapshot(credential=join, anchors={}, domain=settings.domain))
    clock = SystemClock()
    async with (
        serving(
            settings.listen,
            credentials=identity.tls.node_credentials(),
            routes=DirectoryServicer(log, notices).routes(),
            interceptors=node_chain(tls=identity.tls, clock=clock, timer=time.monotonic),
        ),
        serving(
            settings.join,
            credentials=join_tls.guest_credentials(),
            routes=EnrolmentServicer(admissions).routes(),
            interceptors=join_chain(timer=time.monotonic),
        ),
    ):
        yield


def _join_credential(home: Path, keystore: Keystore) -> NodeCredential:
    """The join port's own pair, which outlives restarts because join codes name it."""
    return NodeCredential(
        private_key=key_to_pem(key_from_seed(keystore.get("join"))),
        certificate=from_pem((home / "certificates" / "join.pem").read_bytes()),
    )


def _authority(home: Path, custody: Custody, *, role: str, certificate: str) -> Authority:
    """A CA with the key that belongs to its certificate."""
    path = home / "certificates" / f"{certificate}.pem"
    if not path.exists():
        raise InvalidConfiguration(f"{path} is missing", hint="restore the folder from its backup")
    der = from_pem(path.read_bytes())
    public = load_certificate(der).public_key()
    for held in custody.cas(role):
        if held.key.public_key() == public:
            return Authority(certificate=der, key=held.key)
    raise InvalidConfiguration(
        f"no key here belongs to {path}", hint="take both from the same backup, or see `pkcs11` in the settings"
    )


async def _come_back(home: Path, registry: Registry, identity: Identity, world: World) -> None:
    """After a restore, take over from the Parties' nodes what this one published after its copy was made, until enough of them agree.

    Nothing is served before: what this node logged and forgot stands at the Parties, and another entry in its place would be a lie.
    """
    probation = Mark.in_home(home).probation(registry, None, world.clock)
    if probation is None:
        return
    async with Channels(own=identity.credential, clock=world.clock) as channels:
        while not await probation.look(GrpcDirectory(channels)):
            logger.warning("put back from a backup: nothing is served yet", extra={"size": probation.agreeing})
            await asyncio.sleep(RETURN_LOOK_S)


async def _empty_tray(home: Path, enrolments: SqliteEnrolments, admissions: Admissions) -> None:
    """Take up what the operator laid down, and lay out what waits for founders, for ever."""
    tray = Tray(home / "tray")
    while True:
        try:
            for name, request in tray.take():
                await tray.settle(name, _carry_out(request, enrolments, admissions))
            _lay_out(home / "pending", {f"{one.party}.admit": one.admit_body for one in await admissions.pending()})
        except (FederationError, OSError) as error:  # a full disk: the directory is served all the same
            logger.warning("the tray cannot be emptied", extra={"problem": getattr(error, "code", "disk")})
        await asyncio.sleep(TRAY_S)


def _lay_out(folder: Path, waiting: Mapping[str, bytes]) -> None:
    """Make the folder hold exactly what waits. Each file is there whole or not at all: founders' programs read it at any moment."""
    folder.mkdir(exist_ok=True, mode=0o700)  # a home that was put back has none
    there = {path.name for path in folder.glob("*.admit")}
    for name, body in waiting.items():
        if name not in there or (folder / name).read_bytes() != body:
            draft = folder / f"{name}.draft"
            draft.write_bytes(body)
            draft.rename(folder / name)
    for name in there - waiting.keys():
        (folder / name).unlink()


async def _carry_out(request: Invite | Approval, enrolments: SqliteEnrolments, admissions: Admissions) -> None:
    match request:
        case Invite():
            await write_invitation(enrolments, party=request.party, token_hash=request.token_hash, created=request.created)
        case Approval():
            await admissions.approve(request.party, request.signature)
