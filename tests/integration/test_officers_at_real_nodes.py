"""Rights at a whole node, with real TLS and SQLite under every part of it: what a withdrawal stops, and what it does not break."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from benchmarks.federation import CUSTOMS, Bench, federation
from federation.errors import Forbidden, Unauthentic
from federation.evidence.bundle import Disclosure
from federation.evidence.journal import JournalKind
from federation.identity import OfficerName, PartyId
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import ALL_ITEMS
from federation.query.lifecycle import AskedState
from federation.query.query import CodeAsked
from federation.trust import note
from federation.trust.desk_code import DeskCode
from federation.trust.keys import SoftwareSigner, officer_message
from node.clock import SystemClock
from node.formats.audit_files import Form, check_audit_file, head, render, tail
from node.rpc.administration import AdministrationClient
from node.rpc.audit import AuditClient
from node.rpc.desk import DeskClient
from node.rpc.officer import OfficerKey
from node.rpc.officer_enrolment import greeting
from node.use_cases.administration_values import InvitationWanted
from node.use_cases.audit_values import Search, parse_closing
from node.use_cases.desk_values import Prepared, Question
from node.use_cases.rights import Grant, Right

ASK = Grant(right=Right.ASK, authority=CUSTOMS, purposes=frozenset({Purpose.DETECTION}))


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with federation(tmp_path_factory.mktemp("federation"), together=True) as running:
        yield running


@dataclass
class Counter:
    """Who stands at the desk of the asking node."""

    bench: Bench

    def _at(self, key: OfficerKey):
        joined = self.bench.joined
        return {"endpoint": joined.desk, "node": joined.node, "anchors": (joined.party_ca,), "key": key, "clock": SystemClock()}

    def administrator(self) -> AdministrationClient:
        return AdministrationClient(**self._at(OfficerKey(certificate=self.bench.certificate, signer=self.bench.signer)))

    def desk(self, key: OfficerKey) -> DeskClient:
        return DeskClient(**self._at(key))

    async def new_officer(self, *grants: Grant) -> tuple[OfficerName, OfficerKey]:
        async with self.administrator() as administration:
            wanted = InvitationWanted(name="Ana Example", authority=CUSTOMS, life_s=30 * 86_400, grants=grants)
            reply = await administration.invite(wanted)
        joined, signer = self.bench.joined, SoftwareSigner(os.urandom(32))
        code = DeskCode(address=joined.desk, party=joined.party, token=reply.outcome.token, ca_key_sha256=reply.ca_key_sha256)
        async with greeting(code, clock=SystemClock()) as node:
            enrolled = await node.enrol(signer)
        name = OfficerName(party=joined.party, officer_id=enrolled.officer_id, domain=joined.officer.domain)
        return name, OfficerKey(certificate=enrolled.certificate, signer=signer)


@pytest.fixture
def counter(bench) -> Counter:
    return Counter(bench)


def question(bench: Bench, purpose: Purpose = Purpose.DETECTION) -> Question:
    code = bench.showcases["pack-exported"]
    return Question(
        party=PartyId("qn"),
        codes=(CodeAsked(key=code, scan=code),),
        items=ALL_ITEMS,
        purpose=purpose,
        necessity="a pack found at the border",
        handling=HandlingCode.H1,
        urgency=Urgency.NORMAL,
        reference="",
        deadline_s=86_400,
    )


def signature(key: OfficerKey, prepared: Prepared) -> bytes:
    return key.signer.sign(officer_message(prepared.statement))


async def test_an_officer_who_enrolled_asks_another_party_and_the_record_says_so(bench, counter):
    name, key = await counter.new_officer(ASK)
    async with counter.desk(key) as desk, counter.administrator() as administration:
        prepared = await desk.prepare_query(question(bench))
        view = await desk.submit_query(prepared.message_id, signature(key, prepared))
        uses = await administration.used(rows=5, officer_id=name.officer_id)
    assert view.asked.state is AskedState.ANSWERED
    assert (uses[0].act, uses[0].right, uses[0].message_id) == ("submit_query", "ask", prepared.message_id)


async def test_an_officer_whose_right_was_withdrawn_between_prepare_and_submit_is_refused(bench, counter):
    name, key = await counter.new_officer(ASK)
    async with counter.desk(key) as desk, counter.administrator() as administration:
        prepared = await desk.prepare_query(question(bench))
        await administration.withdraw_right(name.officer_id, Right.ASK, None)
        with pytest.raises(Forbidden, match="the right ask"):
            await desk.submit_query(prepared.message_id, signature(key, prepared))
        await administration.grant(name.officer_id, [ASK])
        assert (await desk.submit_query(prepared.message_id, signature(key, prepared))).asked.state is AskedState.ANSWERED


async def test_a_purpose_that_was_not_granted_is_refused_at_the_desk(bench, counter):
    _, key = await counter.new_officer(ASK)
    async with counter.desk(key) as desk:
        with pytest.raises(Forbidden, match="for the purpose investigation"):
            await desk.prepare_query(question(bench, Purpose.INVESTIGATION))


async def test_what_was_asked_is_answered_and_provable_after_the_officer_has_gone(bench, counter):
    name, key = await counter.new_officer(ASK)
    async with counter.desk(key) as desk, counter.administrator() as administration:
        prepared = await desk.prepare_query(question(bench))
        await desk.submit_query(prepared.message_id, signature(key, prepared))
        await administration.withdraw_officer(name.officer_id)
        with pytest.raises(Forbidden, match="may not use the desk"):
            await desk.query(prepared.message_id)
    async with counter.desk(OfficerKey(certificate=bench.certificate, signer=bench.signer)) as desk:
        assert (await desk.query(prepared.message_id)).answers
        assert await desk.proof(prepared.message_id, disclose=Disclosure.ALL)


async def test_an_auditor_finds_what_was_asked_and_takes_a_signed_copy_along(bench, counter):
    asker, key = await counter.new_officer(ASK)
    auditor, auditor_key = await counter.new_officer(Grant(right=Right.AUDIT, authority=CUSTOMS))
    async with counter.desk(key) as desk:
        prepared = await desk.prepare_query(question(bench))
        await desk.submit_query(prepared.message_id, signature(key, prepared))
        with pytest.raises(Forbidden, match="the right audit"):
            await AuditClient(desk).search(Search())
    wanted = Search(officer_id=asker.officer_id, code=question(bench).codes[0].key)
    async with counter.desk(auditor_key) as desk, counter.administrator() as administration:
        pages = [await AuditClient(desk).search(wanted)]
        while not parse_closing(note.parse_note(pages[-1].closing).text).is_complete:
            pages.append(await AuditClient(desk).next(pages[-1].closing))
        uses = await administration.used(rows=5, officer_id=auditor.officer_id)
    rows = [row for page in pages for row in page.rows]
    assert {(row.query_id, row.peer, row.state) for row in rows} == {(prepared.message_id.hex(), "qn", "answered")}
    assert JournalKind.SENT in {row.kind for row in rows}
    assert (uses[0].act, uses[0].right) == ("audit", "audit")
    assert asker.officer_id in uses[0].words
    file = (head(Form.CSV) + render(Form.CSV, rows) + tail(Form.CSV, pages[-1].closing)).encode()
    listed = bench.asking.registry.roster.party(bench.joined.party).nodes[-1].entry.signing_key
    assert check_audit_file(file, public_key=listed).closing.officer_id == auditor.officer_id
    shortened = file.replace(file.split(b"\r\n")[1] + b"\r\n", b"")
    with pytest.raises(Unauthentic):
        check_audit_file(shortened, public_key=listed)
