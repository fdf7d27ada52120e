"""The desk over real TLS: every method from the client to a desk and back, attackers on the wire, and the program itself."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import grpc
import pytest

from federation import limits
from federation.errors import (
    Conflict,
    InvalidInput,
    InvalidScan,
    Malformed,
    NotFound,
    Oversized,
    Unauthentic,
    Unreachable,
)
from federation.evidence.bundle import Disclosure
from federation.identity import OfficerName, PartyId, message_id
from federation.query.codes import Automation, HandlingCode, Purpose, Urgency
from federation.query.items import Item
from federation.query.query import CodeAsked
from federation.trust import issuing, keys
from federation.trust.certificate import to_pem
from federation.trust.keys import SoftwareSigner
from federation.wire import strict
from node import limits as node_limits
from node.cli.profile import write_profile
from node.rpc import desk as rpc
from node.rpc.desk import DeskClient, DeskServicer
from node.rpc.interceptors import desk_chain
from node.rpc.officer import CHALLENGE_KEY, CREDENTIAL_KEY, OfficerGate, OfficerKey
from node.rpc.server import serving
from node.rpc.tls import ServerTls, TlsSnapshot
from node.use_cases.desk_values import Question
from node.use_cases.entitlement import Entitlement
from node.use_cases.world import World
from node.v1 import desk_pb2
from tests.support.fake_desk import CODE_OF_QN, QN, FakeDesk, answer_to
from tests.support.memory_officers import MemoryOfficers, registered
from tests.support.rpc import DOMAIN, QM, Treaty, WallClock, node_name

NODE = node_name(QM)
OFFICER = OfficerName(party=QM, officer_id="k3v9x2mq", domain=DOMAIN)
SEED = bytes(range(32))
QUESTION = Question(
    party=QN,
    codes=(CodeAsked(key=CODE_OF_QN, scan="]J1\x1d" + CODE_OF_QN),),
    items=frozenset({Item.A, Item.F}),
    purpose=Purpose.DETECTION,
    necessity="A lorry was stopped.\nIt had two floors.",
    handling=HandlingCode.H1,
    urgency=Urgency.URGENT,
    reference="CASE-7",
    deadline_s=86_400,
)


@dataclass
class Counter:
    """Where the desk stands, and what a test needs to change it."""

    treaty: Treaty
    desk: FakeDesk
    gate: OfficerGate
    port: int
    officers: MemoryOfficers
    certificates: list[bytes] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def certificate(self, *, name: OfficerName = OFFICER, age_s: float = 0) -> bytes:
        """A certificate of an officer, made and registered some time ago."""
        certificate = issuing.issue_officer_certificate(
            SoftwareSigner(SEED).public_key,
            name=name,
            ca=self.treaty.ca(name.party),
            now=self.treaty.now - age_s,
            entropy=os.urandom,
        )
        self.certificates.append(certificate)
        self.officers.lies_there(registered(OFFICER, *self.certificates))
        return certificate

    def client(self, *, certificate: bytes | None = None, node=NODE, anchor: bytes | None = None, seed=SEED) -> DeskClient:
        return DeskClient(
            endpoint=self.endpoint,
            node=node,
            anchors=(anchor or self.treaty.ca(QM).certificate,),
            key=OfficerKey(certificate=certificate or self.certificate(), signer=SoftwareSigner(seed)),
            clock=WallClock(),
        )


@asynccontextmanager
async def open_counter():
    treaty, desk = Treaty(), FakeDesk(clock=WallClock())
    snapshot = TlsSnapshot(credential=treaty.credential(NODE), anchors=treaty.anchors(QM), domain=DOMAIN)
    officers = MemoryOfficers()
    world = World(clock=WallClock(), entropy=os.urandom)
    gate = OfficerGate(
        node=NODE,
        party=QM,
        anchors=lambda: [treaty.ca(QM).certificate],
        clock=WallClock(),
        entropy=os.urandom,
        standing=Entitlement(party=QM, store=officers, world=world).standing,
    )
    async with serving(
        "127.0.0.1:0",
        credentials=ServerTls(snapshot).guest_credentials(),
        routes=DeskServicer(desk, gate).routes(),
        interceptors=desk_chain(timer=time.monotonic),
        reply_bytes_max=limits.DESK_REPLY_BYTES_MAX,
    ) as port:
        yield Counter(treaty=treaty, desk=desk, gate=gate, port=port, officers=officers)


@pytest.fixture
async def counter():
    async with open_counter() as there:
        yield there


# --- every method ----------------------------------------------------------------------------------------------------


async def test_a_question_travels_to_the_desk_and_its_answer_back(counter):
    async with counter.client() as client:
        prepared = await client.prepare_query(QUESTION)
        signature = SoftwareSigner(SEED).sign(keys.officer_message(prepared.statement))
        view = await client.submit_query(prepared.message_id, signature)
        assert view == await client.query(prepared.message_id)
        (row,) = await client.queries(rows=5)
    assert view == counter.desk.asked_rows[prepared.message_id]
    assert row == view.asked
    assert view.query.necessity == QUESTION.necessity
    assert view.answers[0].answer.automation is Automation.AUTOMATIC


async def test_a_thousand_scans_are_resolved_in_their_order(counter):
    scans = [f"LEQN1a7Kd93XzP01M01240315{hour:02}" for hour in range(24)] * 42
    async with counter.client() as client:
        resolutions = await client.resolve(scans[:1_000])
    assert [resolution.scan.raw for resolution in resolutions] == scans[:1_000]
    assert {resolution.parties[0].candidate.party for resolution in resolutions} == {QN}
    assert resolutions[0] == await counter.desk.resolve(OFFICER, scans[0])


async def test_an_answer_travels_to_the_desk(counter):
    identifier = counter.desk.receive()
    async with counter.client() as client:
        (row,) = await client.inbox(rows=5)
        view = await client.inbox_entry(identifier)
        meant = replace(view.draft, text="Zwölf Kartons.\n十二箱。")
        prepared = await client.prepare_answer(identifier, meant)
        signature = SoftwareSigner(SEED).sign(keys.officer_message(prepared.statement))
        received = await client.submit_answer(prepared.message_id, signature)
    kept = counter.desk.inbox_rows[identifier]
    assert view == replace(kept, received=row)
    assert replace(row, answer_id=received.answer_id, state=received.state) == received
    assert counter.desk.sent == [meant]


async def test_the_largest_query_and_its_answer_cross(counter):
    identifier = counter.desk.receive(*(f"LEQMx7Kd93X{number:04}" for number in range(limits.CODES_PER_QUERY_MAX)))
    async with counter.client() as client:
        view = await client.inbox_entry(identifier)
        prepared = await client.prepare_answer(identifier, view.draft)
    assert len(prepared.body) <= limits.BODY_BYTES_MAX
    assert view.draft == counter.desk.inbox_rows[identifier].draft


async def test_a_proof_larger_than_a_message_of_the_federation_comes_whole(counter):
    async with counter.client() as client:
        prepared = await client.prepare_query(QUESTION)
        await client.submit_query(prepared.message_id, SoftwareSigner(SEED).sign(keys.officer_message(prepared.statement)))
        assert len(await client.proof(prepared.message_id, disclose=Disclosure.ALL)) > node_limits.GRPC_MESSAGE_BYTES_MAX
        assert await client.proof(prepared.message_id, disclose=Disclosure.NONE) == b"proof"


async def test_a_waiting_call_comes_back_with_the_change(counter):
    question = replace(QUESTION, party="qo")
    async with counter.client() as client:
        prepared = await client.prepare_query(question)
        view = await client.submit_query(prepared.message_id, SoftwareSigner(SEED).sign(keys.officer_message(prepared.statement)))
        counter.desk.late = answer_to(view.query, automation=Automation.MANUAL, at=counter.desk.now)
        later = await client.query(prepared.message_id, wait_s=3_600.0)
    assert (view.answers, later.answers[0].officer_id) == ((), "w8r4tz6k")


async def test_the_node_tells_its_health(counter):
    async with counter.client() as client:
        status = await client.status()
    assert status == await counter.desk.status(OFFICER)


async def test_the_node_tells_why_and_how_its_peers_do(counter):
    async with counter.client() as client:
        prepared = await client.prepare_query(replace(QUESTION, party=PartyId("qp")))
        view = await client.submit_query(prepared.message_id, SoftwareSigner(SEED).sign(keys.officer_message(prepared.statement)))
        why = await client.why(prepared.message_id.hex()[:8])
        everybody, (one,) = await client.peers(), await client.peers(QN)

    assert why == view.why == await counter.desk.why(OFFICER, prepared.message_id.hex())
    assert everybody == await counter.desk.peers(OFFICER, None)
    assert one in everybody


@pytest.mark.parametrize(
    "failure", [NotFound("no such query"), Conflict("answered before"), InvalidInput("this cannot be"), InvalidScan("no code")]
)
async def test_what_the_desk_raises_is_raised_at_the_other_end(counter, failure):
    counter.desk.failure = failure
    async with counter.client() as client:
        with pytest.raises(type(failure), match=failure.message) as caught:
            await client.inbox_entry(message_id(bytes(16)))
    assert caught.value.hint == failure.hint


# --- challenges ------------------------------------------------------------------------------------------------------


async def test_calls_in_a_row_need_one_challenge_call(counter):
    given = []
    issue = counter.gate.challenge

    def counted():
        given.append(1)
        return issue()

    counter.gate.challenge = counted
    async with counter.client() as client:
        for _ in range(5):
            await client.status()
    assert len(given) == 1 + 5


async def test_a_node_that_forgot_the_challenge_is_asked_for_another(counter):
    async with counter.client() as client:
        await client.status()
        for _ in range(node_limits.DESK_CHALLENGES_MAX):
            counter.gate.challenge()
        assert (await client.status()).party == QM


async def test_calls_at_the_same_time_use_a_challenge_each(counter):
    async with counter.client() as client, asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(client.status())


# --- attackers -------------------------------------------------------------------------------------------------------


async def raw_call(counter, method, message, metadata=()):
    """What somebody with a copy of the protocol, and none of our client, sends."""
    credentials = grpc.ssl_channel_credentials(to_pem(counter.treaty.ca(QM).certificate))
    options = [("grpc.ssl_target_name_override", NODE.dns)]
    async with grpc.aio.secure_channel(counter.endpoint, credentials, options=options) as channel:
        call = channel.unary_unary(method.path)(message, metadata=metadata, timeout=5)
        return await call, dict(await call.trailing_metadata())


async def fresh_challenge(counter) -> bytes:
    reply, _ = await raw_call(counter, rpc.CHALLENGE, b"")
    return desk_pb2.ChallengeReply.FromString(reply).challenge


def signed(counter, method, message, challenge, *, certificate=None, seed=SEED) -> tuple[tuple[str, bytes]]:
    key = OfficerKey(certificate=certificate or counter.certificate(), signer=SoftwareSigner(seed))
    value = key.credential(method=method.path, request=message, node=NODE, challenge=challenge, now=time.time())
    return ((CREDENTIAL_KEY, value),)


async def refusal(counter, method, message, metadata) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw_call(counter, method, message, metadata)
    return caught.value.code()


async def test_a_call_without_credential_never_reaches_the_desk(counter):
    identifier = counter.desk.receive()
    message = strict.encode(desk_pb2.InboxEntryRequest(message_id=identifier))
    assert await refusal(counter, rpc.INBOX_ENTRY, message, ()) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_recorded_call_cannot_be_repeated(counter):
    metadata = signed(counter, rpc.STATUS, b"", await fresh_challenge(counter))
    _, trailing = await raw_call(counter, rpc.STATUS, b"", metadata)
    assert len(trailing[CHALLENGE_KEY]) == 32
    assert await refusal(counter, rpc.STATUS, b"", metadata) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_recorded_signature_fits_no_other_method(counter):
    metadata = signed(counter, rpc.STATUS, b"", await fresh_challenge(counter))
    assert await refusal(counter, rpc.RESOLVE, b"", metadata) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_recorded_signature_fits_no_other_request(counter):
    metadata = signed(
        counter, rpc.PROOF, strict.encode(desk_pb2.ProofRequest(message_id=bytes(16))), await fresh_challenge(counter)
    )
    other = strict.encode(desk_pb2.ProofRequest(message_id=bytes(16), disclose=True))
    assert await refusal(counter, rpc.PROOF, other, metadata) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_signed_request_with_an_unknown_field_is_refused(counter):
    message = b"\x78\x01"
    metadata = signed(counter, rpc.STATUS, message, await fresh_challenge(counter))
    assert await refusal(counter, rpc.STATUS, message, metadata) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_signed_request_beyond_the_limits_is_refused(counter):
    message = strict.encode(desk_pb2.ResolveRequest(scans=["A"] * (node_limits.DESK_SCANS_PER_CALL_MAX + 1)))
    metadata = signed(counter, rpc.RESOLVE, message, await fresh_challenge(counter))
    assert await refusal(counter, rpc.RESOLVE, message, metadata) is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_certificate_without_its_key_opens_nothing(counter):
    async with counter.client(seed=bytes(32)) as client:
        with pytest.raises(Unauthentic, match="signature"):
            await client.status()


async def test_an_expired_officer_is_refused(counter):
    old = counter.certificate(age_s=limits.OFFICER_CERTIFICATE_LIFE_S + 60)
    async with counter.client(certificate=old) as client:
        with pytest.raises(Unauthentic, match="valid from"):
            await client.status()


async def test_an_officer_of_another_party_is_refused(counter):
    foreign = counter.certificate(name=replace(OFFICER, party=QN))
    async with counter.client(certificate=foreign) as client:
        with pytest.raises((Unauthentic, Malformed)):
            await client.status()


async def test_a_node_is_no_officer(counter):
    async with counter.client(certificate=counter.treaty.credential(NODE).certificate) as client:
        with pytest.raises((Unauthentic, Malformed)):
            await client.status()


async def test_an_officer_talks_to_no_other_node(counter):
    async with counter.client(node=node_name(QM, "two")) as client:
        with pytest.raises(Unreachable, match="names another node"):
            await client.status()


async def test_an_officer_talks_to_no_node_of_another_ca(counter):
    async with counter.client(anchor=counter.treaty.new_ca(QM).certificate) as client:
        with pytest.raises(Unreachable):
            await client.status()


async def test_more_rows_than_a_page_has_are_refused(counter):
    async with counter.client() as client:
        with pytest.raises(Oversized):
            await client.queries(rows=limits.PAGE_ROWS_MAX + 1)


# --- the program -----------------------------------------------------------------------------------------------------


@pytest.fixture
def profile(counter, tmp_path):
    folder = tmp_path / "profile"
    write_profile(
        folder,
        officer=OFFICER,
        desk=counter.endpoint,
        node=NODE,
        certificate=counter.certificate(),
        party_cas=(counter.treaty.ca(QM).certificate,),
        seed=SEED,
    )
    return folder


async def gsp(profile, *words: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "node",
        *words,
        env={**os.environ, "GSP_OFFICER": str(profile)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return process.returncode, stdout.decode(), stderr.decode()


async def test_the_program_asks_at_the_desk(counter, profile):
    code, stdout, stderr = await gsp(
        profile, "ask", CODE_OF_QN, "--necessity", "A lorry was stopped.", "--purpose", "detection", "--json"
    )
    assert (code, stderr) == (0, "")
    assert json.loads(stdout)["state"] == "answered"
    assert len(counter.desk.asked_rows) == 1


async def test_the_program_says_that_the_desk_cannot_be_reached(profile):
    (profile / "officer.toml").write_text((profile / "officer.toml").read_text().replace("127.0.0.1", "127.0.0.2"))
    code, stdout, stderr = await gsp(profile, "queries")
    assert (code, stdout) == (69, "")
    assert stderr.startswith("error: the desk of your own node could not be reached: ")
    assert "hint: ask its operator" in stderr
