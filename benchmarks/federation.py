"""Two real Parties for measuring: the asking node in this process, the answering one in its own, a Secretariat beside them."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from federation.boundary.directory import sign_body
from federation.errors import UnknownParty
from federation.identity import OfficerName, PartyId
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import ALL_ITEMS
from federation.query.lifecycle import AskedState
from federation.query.query import CodeAsked
from federation.trust.entries import Authority, AuthorityKind, EntryKind
from federation.trust.join_code import decode_join_code
from federation.trust.keys import SoftwareSigner, officer_message
from node import party, secretariat
from node.cli.serving import free_address, spare_the_collector, world
from node.clock import SystemClock
from node.config import NodeSettings, SecretariatSettings, read_node_settings
from node.formats.demo_plans import read_demo_plan
from node.formats.patterns import read_pattern_file
from node.joining import Joined, Joining, join
from node.keystore import Cost, Keystore
from node.officers import register_first
from node.resources import config_folder, patterns_folder
from node.rpc.officer import OfficerKey
from node.store.trace import SqliteTrace
from node.store.tray import Approval, Tray
from node.use_cases.demo_data import demo_data
from node.use_cases.desk_values import QueryView, Question
from node.use_cases.load_trace import load_trace
from node.use_cases.parts import Participant
from tests.support.proxy import Link, link

PASSPHRASE = b"only for measuring"
AUTOMATIC = '[[rules]]\nautomation = "automatic"\n'
BY_HAND = ""
"""What a node does that nobody told otherwise: every question waits for an officer."""
READY_S = 30.0
_PROGRAM = (sys.executable, "-m", "node", "party", "run")
CUSTOMS = Authority(kind=AuthorityKind.CUSTOMS, name="Customs")


class Neighbour:
    """The answering node as a process that can be stopped without warning and started again."""

    def __init__(self, folder: Path, name: str) -> None:
        secret = folder / "passphrase"
        secret.write_bytes(PASSPHRASE)
        self._command = [*_PROGRAM, "--home", str(folder / name), "--passphrase-file", str(secret)]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Return when the node says that it is ready.

        Raises:
            RuntimeError: it ended instead.
        """
        self._process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.PIPE)
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = await self._process.stdout.readline()
        if not line.startswith(b"ready"):
            raise RuntimeError("the answering node did not start")

    async def kill(self) -> None:
        """As a power cut does."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """Properly, when it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the measurements use.

    Attributes:
        joined: what the asking Party's joining gave, its first officer with all rights among it.
        homes: where both nodes keep what they keep.
        answering: the same of the answering Party.
        neighbour: the process of the answering node; None when it runs in this process.
        cable: the links in front of both nodes; none where they reach each other without.
    """

    asking: Participant
    joined: Joined
    homes: Path
    answering: Joined
    neighbour: Neighbour | None
    officer: OfficerName
    certificate: bytes
    signer: SoftwareSigner
    showcases: dict[str, str]
    stop_secretariat: Callable[[], Awaitable[None]]
    cable: tuple[Link, ...] = ()

    def at_desk(self, joined: Joined, key: OfficerKey | None = None) -> dict[str, Any]:
        """What a client of a Party's desk is made of; for the first officer, when no other one's key is given."""
        first = OfficerKey(certificate=joined.officer_certificate, signer=SoftwareSigner(joined.officer_seed))
        return {
            "endpoint": joined.desk,
            "node": joined.node,
            "anchors": (joined.party_ca,),
            "key": key or first,
            "clock": SystemClock(),
        }

    async def ask(self, key: str) -> QueryView:
        """One whole query: prepared, signed by the officer, sealed, sent, answered, verified, written down."""
        question = Question(
            party=PartyId("qn"),
            codes=(CodeAsked(key=key, scan=key),),
            items=ALL_ITEMS,
            purpose=Purpose.DETECTION,
            necessity="a pack found at the border in a load without papers",
            handling=HandlingCode.H1,
            urgency=Urgency.NORMAL,
            reference="",
            deadline_s=86_400,
        )
        prepared = await self.asking.desk.prepare_query(self.officer, self.certificate, question)
        signature = self.signer.sign(officer_message(prepared.statement))
        return await self.asking.desk.submit_query(self.officer, prepared.message_id, signature)


@asynccontextmanager
async def federation(
    folder: Path, *, together: bool = False, policy: str = AUTOMATIC, with_cable: bool = False
) -> AsyncIterator[Bench]:
    """Found, join, load and run. Ready when the first query was answered, or, where officers answer, has arrived.

    Args:
        folder: an empty one.
        together: both nodes in this process.
        policy: of both.
        with_cable: between the nodes is a link that can be cut.
    """
    async with AsyncExitStack() as stack:
        root = folder / "secretariat"
        settings = SecretariatSettings(
            domain="gsp.example", genesis="0" * 64, listen=free_address("127.0.0.1:0"), join=free_address("127.0.0.1:0")
        )
        made = await secretariat.initialise(
            root, settings=settings, passphrase=PASSPHRASE, founders=1, threshold=1, world=world(), cost=Cost.MINIMAL
        )
        centre = await stack.enter_async_context(AsyncExitStack())
        await centre.enter_async_context(secretariat.running(root, PASSPHRASE))
        genesis = bytes.fromhex(made.genesis)
        fronts = {name: free_address("127.0.0.1:0") if with_cable else None for name in ("qm", "qn")}
        joined = {name: await _join(folder, root, name, genesis, policy=policy, public=front) for name, front in fronts.items()}
        cable = [await stack.enter_async_context(link(front, _listens(folder / name))) for name, front in fronts.items() if front]
        showcases = await _load(folder / "qn")
        asking = await stack.enter_async_context(party.running(folder / "qm", PASSPHRASE))
        neighbour = None if together else Neighbour(folder, "qn")
        if neighbour is None:
            await stack.enter_async_context(party.running(folder / "qn", PASSPHRASE))
        else:
            stack.push_async_callback(neighbour.stop)
            await neighbour.start()
        officer = joined["qm"]
        bench = Bench(
            asking=asking,
            joined=officer,
            homes=folder,
            answering=joined["qn"],
            neighbour=neighbour,
            officer=officer.officer,
            certificate=officer.officer_certificate,
            signer=SoftwareSigner(officer.officer_seed),
            showcases=showcases,
            stop_secretariat=centre.aclose,
            cable=tuple(cable),
        )
        await _until_answered(bench)
        spare_the_collector()  # as `gsp party run` does
        yield bench


def _listens(home: Path) -> str:
    return read_node_settings(home / "node.toml").listen


async def _join(
    folder: Path, root: Path, name: str, genesis: bytes, *, policy: str = AUTOMATIC, public: str | None = None
) -> Joined:
    code = secretariat.invite(root, PartyId(name), entropy=secrets.token_bytes, now=world().now())
    home = folder / name
    home.mkdir()
    (home / "policy.toml").write_text(policy)
    joining = Joining(
        home=home,
        code=decode_join_code(code),
        genesis=genesis,
        settings=NodeSettings(
            party=name,
            name=name,
            domain="gsp.example",
            genesis="0" * 64,
            secretariat="127.0.0.1:1",
            listen=free_address("127.0.0.1:0"),
            public=public,
            desk=free_address("127.0.0.1:0"),
            patterns=(str(patterns_folder() / f"demo-{name}.toml"),),
            policy="policy.toml",
            log_level="error",
        ),
        with_node=True,
        passphrase=PASSPHRASE,
        cost=Cost.MINIMAL,
        wait_s=60,
        show_next_key=lambda _seed: None,
        tell=lambda _words: None,
    )
    await _until((root / "tray").glob, f"invite-{name}-*.done")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(join(joining, world()))
        pending = root / "pending" / f"{name}.admit"
        await _until((root / "pending").glob, pending.name)
        seed = bytes.fromhex((root / "take-away" / "founder-1.key").read_text())
        signature = sign_body(EntryKind.ADMIT, pending.read_bytes(), SoftwareSigner(seed))
        Tray(root / "tray").put(Approval(party=PartyId(name), signature=signature))
    joined = waiting.result()
    keystore = Keystore.open(home / "keystore", PASSPHRASE)
    await register_first(home, keystore, joined, authority=CUSTOMS, world=world())
    return joined


async def _until(look: Callable[[str], object], pattern: str) -> None:
    async with asyncio.timeout(READY_S):
        while not list(look(pattern)):  # type: ignore[call-overload]  # the stubs know glob's overloads only by name
            await asyncio.sleep(0.02)


async def _load(home: Path) -> dict[str, str]:
    plan = read_demo_plan((config_folder() / "demo" / "trace.toml").read_text(encoding="utf-8"))
    patterns = read_pattern_file((patterns_folder() / "demo-qn.toml").read_text(encoding="utf-8"))
    data = demo_data(plan, patterns, seed=b"benchmarks", now=world().now())
    async with SqliteTrace.open(home / "trace.sqlite") as store:
        await load_trace(store, data.filings())
    return dict(data.showcases)


async def _until_answered(bench: Bench) -> None:
    """The asking node learns of the other Party, its keys and its patterns by itself, within moments."""
    key = next(iter(bench.showcases.values()))
    async with asyncio.timeout(READY_S):
        while True:
            with suppress(UnknownParty):
                view = await bench.ask(key)
                if view.answers or view.asked.state is AskedState.DELIVERED:
                    return
            await asyncio.sleep(0.2)
