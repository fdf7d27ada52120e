"""The auditor at a simulated node: what is found, that it is found page by page, and that each search stands in the record of use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from federation.errors import Conflict, Forbidden, Unauthentic
from federation.evidence.journal import JournalKind
from federation.identity import OfficerName
from federation.query.codes import Automation
from federation.trust.entries import Authority, AuthorityKind
from node import limits
from node.use_cases.audit_values import AuditRow, Closing, Found, Search, chained, parse_closing, read_closing
from node.use_cases.auditing import Auditing
from node.use_cases.rights import Grant, Right
from tests.support.federation import Federation, federating
from tests.support.memory_officers import registered
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import HOUR, answer_inbox, ask, question
from tests.support.virtual_clock import VirtualLoop, run_virtual

CUSTOMS = Authority(kind=AuthorityKind.CUSTOMS, name="Customs")


def audited(test: Callable[[Federation], Awaitable[None]]) -> None:
    """Run a test at three nodes: qn answers by itself, qo by hand."""

    async def main(loop: VirtualLoop) -> None:
        by = [Automation.AUTOMATIC, Automation.AUTOMATIC, Automation.MANUAL]
        async with federating(loop, parties=3, automation=lambda number: by[number]) as federation:
            await test(federation)

    run_virtual(main)


def auditor_at(node: SimNode, *, right: Right = Right.AUDIT) -> tuple[Auditing, OfficerName]:
    colleague = node.kit.officers[1]
    name = OfficerName(party=node.party, officer_id="theauditor", domain=colleague.name.domain)
    node.officers.lies_there(registered(name, colleague.certificate, grants=(Grant(right=right, authority=CUSTOMS),)))
    assert node.participant is not None
    return node.participant.auditing, name


async def search(node: SimNode, **wanted) -> list[AuditRow]:
    """All pages."""
    auditing, officer = auditor_at(node)
    page = await auditing.audit(officer, Search(**wanted))
    rows = list(page.rows)
    while not closing_of(page, node).is_complete:
        page = await auditing.audit_on(officer, page.closing)
        rows += page.rows
    closing = closing_of(page, node)
    assert (closing.rows, closing.digest) == (len(rows), chained(bytes(32), rows))
    return rows


def closing_of(page: Found, node: SimNode) -> Closing:
    return read_closing(page.closing, node=node.kit.name.dns, public_key=node.kit.signer.public_key)


async def _two_cases(federation: Federation) -> tuple[SimNode, str, str]:
    """qm asks qn in one case, and two hours later qo, which does not answer."""
    asker = federation["qm"]
    qn, qo = federation["qn"], federation["qo"]
    first = await ask(asker, replace(question(qn.party, qn.kit.codes[0]), reference="case 1"))
    await asyncio.sleep(2 * HOUR)
    second = await ask(asker, replace(question(qo.party, qo.kit.codes[0], qo.kit.codes[1], deadline_s=HOUR), reference="case 2"))
    await asyncio.sleep(2 * HOUR)
    return asker, first.asked.message_id.hex(), second.asked.message_id.hex()


def test_every_record_is_found_newest_first_with_what_it_is_about():
    async def test(federation: Federation) -> None:
        asker, first, second = await _two_cases(federation)
        rows = await search(asker)
        assert [row.position for row in rows] == list(range(len(rows)))[::-1]
        assert [(row.kind, row.query_id) for row in rows] == [
            ("expired", second),
            ("delivered", second),
            ("sent", second),
            *[(row.kind, first) for row in rows[3:]],
        ]
        assert {row.kind for row in rows[3:]} == {"sent", "received", "delivered"}
        assert {(row.state, row.reference, row.codes) for row in rows[:3]} == {("expired", "case 2", 2)}
        sent = next(row for row in rows if row.kind == "sent")
        assert sent.officer_id == asker.kit.officers[0].name.officer_id

    audited(test)


def test_a_search_finds_what_is_so_in_everything_that_it_names():
    async def test(federation: Federation) -> None:
        asker, first, second = await _two_cases(federation)
        everything = await search(asker)
        newest = max(row.at for row in everything)
        code = federation["qo"].kit.codes[1]
        for wanted, found in (
            ({"peer": "qo"}, {second}),
            ({"peer": "qx"}, set()),
            ({"state": "answered"}, {first}),
            ({"state": "expired"}, {second}),
            ({"reference": "case 1"}, {first}),
            ({"reference": "case"}, set()),
            ({"code": code}, {second}),
            ({"code": federation["qn"].kit.codes[0]}, {first}),
            ({"code": code, "reference": "case 1"}, set()),
            ({"officer_id": asker.kit.officers[0].name.officer_id, "peer": "qn"}, {first}),
            ({"officer_id": "nobody"}, set()),
            ({"since": newest - 90 * 60}, {second}),
            ({"until": newest - 3 * HOUR}, {first}),
            ({"until": 1_000}, set()),
            ({"since": newest + 1}, set()),
            ({"kind": "expired"}, {second}),
            ({"kind": "decided"}, set()),
        ):
            assert {row.query_id for row in await search(asker, **wanted)} == found, wanted

    audited(test)


def test_the_answering_side_finds_what_was_asked_there_and_by_whom():
    async def test(federation: Federation) -> None:
        asker, _, second = await _two_cases(federation)
        qo = federation["qo"]
        await answer_inbox(qo)
        await asyncio.sleep(HOUR)
        rows = await search(qo, peer="qm")
        assert {row.query_id for row in rows} == {second}
        assert {(row.direction, row.state) for row in rows} == {("received", "answered")}
        kinds = {row.kind: row.officer_id for row in rows}
        assert kinds["received"] == asker.kit.officers[0].name.officer_id
        assert kinds["sent"] == qo.kit.officers[1].name.officer_id
        assert {row.kind for row in await search(qo, code=qo.kit.codes[0])} == {row.kind for row in rows}

    audited(test)


def test_a_long_search_comes_in_pages_that_can_be_repeated(monkeypatch):
    monkeypatch.setattr(limits, "AUDIT_RECORDS_PER_CALL", 2)

    async def test(federation: Federation) -> None:
        asker, *_ = await _two_cases(federation)
        auditing, officer = auditor_at(asker)
        whole = await search(asker)
        first = await auditing.audit(officer, Search())
        assert len(first.rows) == 2
        second = await auditing.audit_on(officer, first.closing)
        again = await auditing.audit_on(officer, first.closing)
        assert second.rows == again.rows == tuple(whole[2:4])
        assert closing_of(second, asker).rows == 4

    audited(test)


def test_a_search_belongs_to_whoever_began_it_and_ends(monkeypatch):
    monkeypatch.setattr(limits, "AUDIT_RECORDS_PER_CALL", 2)

    async def test(federation: Federation) -> None:
        asker, *_ = await _two_cases(federation)
        auditing, officer = auditor_at(asker)
        page = await auditing.audit(officer, Search())
        other = asker.kit.officers[0]
        with pytest.raises(Forbidden, match="another officer"):
            await auditing.audit_on(other.name, page.closing)
        forged = page.closing.replace(b"\nrows 2\n", b"\nrows 1\n")
        with pytest.raises(Unauthentic, match="does not know that search"):
            await auditing.audit_on(officer, forged)
        monkeypatch.setattr(limits, "AUDIT_LIFE_S", 1_800)
        await asyncio.sleep(2_000)
        with pytest.raises(Conflict, match="at its end"):
            await auditing.audit_on(officer, page.closing)

    audited(test)


@pytest.mark.parametrize("right", [Right.ADMINISTER, Right.APPROVE, Right.REPORT])
def test_without_the_right_nothing_is_searched(right):
    async def test(federation: Federation) -> None:
        auditing, officer = auditor_at(federation["qm"], right=right)
        with pytest.raises(Forbidden, match="the right audit"):
            await auditing.audit(officer, Search())
        assert await federation["qm"].officers.uses(before=2**33, rows=5, officer_id=officer.officer_id) == ()

    audited(test)


def test_every_search_stands_in_the_record_of_use_and_names_no_code():
    async def test(federation: Federation) -> None:
        asker, *_ = await _two_cases(federation)
        _, officer = auditor_at(asker)
        code = federation["qn"].kit.codes[0]
        for _ in range(2):
            await search(asker, code=code, reference="case 1", peer="qn")
        uses = await asker.officers.uses(before=2**33, rows=5, officer_id=officer.officer_id)
        assert [(use.act, use.right) for use in uses] == [("audit", "audit")] * 2
        assert all("peer qn" in use.words and code not in use.words and "case 1" not in use.words for use in uses)
        assert uses[0].words != uses[1].words  # a salt each: nobody sees that two searches were for one code

    audited(test)


def test_what_was_erased_is_counted_and_hides_nothing_else(monkeypatch):
    async def test(federation: Federation) -> None:
        asker, first, second = await _two_cases(federation)
        assert asker.participant is not None
        journal, size = asker.storage, len(await search(asker))
        leaf, erased = type(journal).leaf, size - 3

        async def kept(self, index):
            return None if index < erased else await leaf(self, index)

        monkeypatch.setattr(type(journal), "leaf", kept)
        assert {row.query_id for row in await search(asker)} == {second}
        auditing, officer = auditor_at(asker)
        page = await auditing.audit(officer, Search(kind=JournalKind.SENT))
        assert parse_closing(page.closing.split(b"\n\n")[0] + b"\n").erased == erased
        assert first != second

    audited(test)
