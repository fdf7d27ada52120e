"""Files that go with messages, through everything that happens to networks and nodes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.proof import ProofReport, check_proof, findings
from federation.delivery.attachment import AttachmentState, Place
from federation.delivery.direction import Direction
from federation.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    Malformed,
    NotFound,
    Oversized,
    StoreUnavailable,
    Unauthentic,
    Unreachable,
)
from federation.evidence.bundle import Disclosure
from federation.evidence.journal import JournalKind
from federation.query.codes import Automation
from federation.wire.evidence import decode_proof, decode_record, encode_proof, encode_signed_receipt
from node import limits as node_limits
from tests.support.attaching import answer_with, ask_with, bring, facts_of, files_at, photo, saved, states_at
from tests.support.faults import When
from tests.support.federation import Federation
from tests.support.network import Weather
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, look, question, signature_of

RECEIPTED = [AttachmentState.RECEIPTED]
DELIVERED = [AttachmentState.DELIVERED]


def journalled(node: SimNode, note: str) -> int:
    """How many files the journal says are whole, at this end."""
    records = [decode_record(leaf.content) for leaf in node.storage._leaves]
    return sum((record.kind, record.note) == (JournalKind.ATTACHED, note) for record in records)


def about(federation: Federation, party: str = "qn"):
    return question(federation[party].party, federation[party].kit.codes[0])


@simulated(automation=Automation.MANUAL)
async def test_files_go_with_a_question_and_with_its_answer(federation: Federation):
    qm, qn = federation["qm"], federation["qn"]
    files = {"pack front.jpg": photo(700_001, "front"), "label.png": b"\x89PNG\r\n\x1a\n" + bytes(100)}
    query = (await ask_with(qm, about(federation), files)).asked.message_id
    await asyncio.sleep(60)

    assert await states_at(qn, query) == 2 * RECEIPTED
    assert await states_at(qm, query) == 2 * DELIVERED
    for node in (qm, qn):
        assert {view.facts.name: await saved(node, query, view) for view in await files_at(node, query)} == files

    entry = await qn.at_desk(lambda desk: desk.inbox_entry(qn.kit.officers[0].name, query))
    await answer_with(qn, query, replace(entry.draft, automation=Automation.MANUAL), {"report.pdf": b"%PDF-1.7 what is known"})
    await asyncio.sleep(60)
    report = (await files_at(qm, query))[-1]
    assert (report.facts.name, report.sender, report.state) == ("report.pdf", "qn", AttachmentState.RECEIPTED)
    assert await saved(qm, query, report) == b"%PDF-1.7 what is known"
    assert (await look(qm, query)).answers[0].answer.attachments[0].facts == report.facts
    assert [journalled(qn, "arrived"), journalled(qm, "receipted")] == [2, 2]
    assert [journalled(qm, "arrived"), journalled(qn, "receipted")] == [1, 1]


@simulated(automation=Automation.MANUAL)
async def test_what_lies_on_the_disk_and_crosses_tells_nothing(federation: Federation):
    qm, qn = federation["qm"], federation["qn"]
    secret = b"%PDF- " + b"name of a witness "
    await ask_with(qm, about(federation), {"report.pdf": secret * 1_000})
    await asyncio.sleep(60)

    for node in (qm, qn):
        (data,) = node.spool.whole.values()
        assert b"witness" not in data
    assert not federation.leaks


@simulated(automation=Automation.MANUAL)
async def test_a_file_that_is_cut_again_and_again_goes_on_from_where_it_was(federation: Federation):
    """Each call loses its end, and is the larger part of what it could have been all the same."""
    qm, qn = federation["qm"], federation["qn"]
    data = photo(8_000_000)
    federation.network.weather = Weather(reply_lost=0.7)
    query = (await ask_with(qm, about(federation), {"film.jpg": data})).asked.message_id
    await asyncio.sleep(HOUR)
    federation.network.weather = Weather()
    await asyncio.sleep(10 * 60)

    (view,) = await files_at(qn, query)
    assert view.state is AttachmentState.RECEIPTED
    assert await saved(qn, query, view) == data
    assert await saved(qn, query, view, offset=7_999_990) == data[-10:]


@pytest.mark.parametrize("writes", [1, 2, 3, 5, 9, 14])
@pytest.mark.parametrize("victim", ["qm", "qn"])
def test_a_crash_of_either_node_at_any_moment_loses_nothing(victim: str, writes: int):
    @simulated(automation=Automation.MANUAL, seed=writes)
    async def story(federation: Federation) -> None:
        qm, qn = federation["qm"], federation["qn"]
        node = federation[victim]
        identifiers = [await bring(qm, f"{number}.jpg", photo(600_000, str(number))) for number in range(3)]
        crash = federation.in_background(node.crash_after_writes(writes))
        what = replace(about(federation), attachments=tuple(identifiers))
        officer = qm.kit.officers[0]
        prepared = await qm.at_desk(lambda desk: desk.prepare_query(officer.name, officer.certificate, what))
        with suppress(Unreachable):  # the desk went away with the node
            await qm.at_desk(lambda desk: desk.submit_query(officer.name, prepared.message_id, signature_of(officer, prepared)))
        try:
            async with asyncio.timeout(120):
                await crash
        except TimeoutError:
            node.crash()
        await federation.restart(node)
        await asyncio.sleep(HOUR)

        assert await states_at(qn, prepared.message_id) == 3 * RECEIPTED
        assert await states_at(qm, prepared.message_id) == 3 * DELIVERED
        for number, view in enumerate(await files_at(qn, prepared.message_id)):
            assert await saved(qn, prepared.message_id, view) == photo(600_000, str(number))
        assert not qn.spool.partial
        assert len(qn.spool.whole) == len(qm.spool.whole) == 3
        assert journalled(qn, "arrived") == journalled(qm, "receipted") == 3

    story()


def test_what_nobody_sent_is_swept_away_and_what_is_owned_is_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(node_limits, "ATTACHMENT_KEPT_S", 3 * HOUR)
    simulated(automation=Automation.MANUAL, parties=2)(_swept)()


async def _swept(federation: Federation) -> None:
    qm, qn = federation["qm"], federation["qn"]
    query = (await ask_with(qm, about(federation), {"a.jpg": photo(1_000)})).asked.message_id
    await bring(qm, "never sent.jpg", photo(1_000))
    qm.spool.whole["sent-" + "ab" * 16] = b"an orphan"
    await asyncio.sleep(60)
    assert len(qm.spool.whole) == 3

    await asyncio.sleep(2 * HOUR + 1_900)
    assert len(qm.spool.whole) == 1
    assert await states_at(qn, query) == RECEIPTED

    qm.spool.partial["sent-" + "cd" * 16] = bytearray(b"noise of an upload")
    qm.crash()
    await federation.restart(qm)
    assert not qm.spool.partial
    assert len(qm.spool.whole) == 1
    await asyncio.sleep(5 * HOUR)
    assert await states_at(qm, query) == [AttachmentState.GONE]
    await asyncio.sleep(3 * HOUR)
    assert not qm.spool.whole
    assert await states_at(qn, query) == RECEIPTED


@simulated(automation=Automation.MANUAL)
async def test_a_file_that_got_lost_on_the_disk_is_fetched_again(federation: Federation):
    qm, qn = federation["qm"], federation["qn"]
    query = (await ask_with(qm, about(federation), {"a.jpg": photo(100_000)})).asked.message_id
    await asyncio.sleep(60)
    qn.spool.whole.clear()
    qn.crash()
    await federation.restart(qn)
    await asyncio.sleep(60)

    (view,) = await files_at(qn, query)
    assert view.state is AttachmentState.RECEIPTED
    assert await saved(qn, query, view) == photo(100_000)
    assert journalled(qn, "arrived") == 1


@simulated(automation=Automation.MANUAL, parties=2)
async def test_a_peer_that_is_away_gives_its_files_when_it_is_back(federation: Federation):
    qm, qn = federation["qm"], federation["qn"]
    qn.spool.free = 0
    query = (await ask_with(qm, about(federation), {"a.jpg": photo(5_000)})).asked.message_id
    await asyncio.sleep(60)
    qm.crash()
    qn.spool.free = 2**40
    await asyncio.sleep(DAY)
    (view,) = await files_at(qn, query)
    assert (view.state, view.problem) == (AttachmentState.WAITING, Unreachable.code)

    await federation.restart(qm)
    await asyncio.sleep(400)
    assert await states_at(qn, query) == RECEIPTED
    assert await states_at(qm, query) == DELIVERED


@simulated(automation=Automation.MANUAL)
async def test_a_node_without_room_says_so_and_takes_it_later(federation: Federation):
    qm, qn = federation["qm"], federation["qn"]
    qn.spool.free = node_limits.SPOOL_FREE_BYTES_MIN
    query = (await ask_with(qm, about(federation), {"a.jpg": photo(5_000)})).asked.message_id
    await asyncio.sleep(60)
    (view,) = await files_at(qn, query)
    assert (view.state, view.problem, view.here) == (AttachmentState.WAITING, "store-unavailable", 0)
    with pytest.raises(Conflict):
        await saved(qn, query, view)

    qn.spool.free = 2**40
    await asyncio.sleep(2 * HOUR)
    assert await states_at(qn, query) == RECEIPTED


def test_one_party_fills_no_more_of_a_disk_than_its_share_of_a_day(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(node_limits, "ATTACHMENT_BYTES_PER_PARTY_DAY_MAX", 250_000)

    @simulated(automation=Automation.MANUAL, parties=3)
    async def story(federation: Federation) -> None:
        qm, qn = federation["qm"], federation["qn"]
        files = {f"{number}.jpg": photo(100_000, str(number)) for number in range(4)}
        query = (await ask_with(qm, about(federation), files)).asked.message_id
        other = (await ask_with(federation["qo"], about(federation), {"b.jpg": photo(100_000)})).asked.message_id
        await asyncio.sleep(2 * HOUR)

        views = await files_at(qn, query)
        assert sorted(view.state for view in views) == 2 * RECEIPTED + 2 * [AttachmentState.WAITING]
        assert {view.problem for view in views} == {"", "overloaded"}
        assert await states_at(qn, other) == RECEIPTED

        await asyncio.sleep(DAY + 2 * HOUR)
        assert await states_at(qn, query) == 4 * RECEIPTED

    story()


@simulated(automation=Automation.MANUAL, parties=2)
async def test_a_thousand_files_at_once_all_arrive_with_a_few_in_memory(federation: Federation):
    qn = federation["qn"]
    most = {"pulling": 0, "now": 0}
    pull = qn.participant.attachments._pull

    async def counted(one, here):
        most["now"] += 1
        most["pulling"] = max(most["pulling"], most["now"])
        try:
            await pull(one, here)
        finally:
            most["now"] -= 1

    qn.participant.attachments._pull = counted
    queries = []
    for batch in range(63):
        files = {f"{batch}-{number}.jpg": photo(300, f"{batch} {number}") for number in range(16)}
        queries.append((await ask_with(federation["qm"], about(federation), files)).asked.message_id)
    await asyncio.sleep(HOUR)

    states = [state for query in queries for state in await states_at(qn, query)]
    assert states == 1_008 * RECEIPTED
    assert journalled(qn, "arrived") == 1_008
    assert most["pulling"] <= node_limits.ATTACHMENTS_AT_ONCE_PER_PARTY_MAX


# --- what others may try ------------------------------------------------------------------------------------------------


async def offered_by(federation: Federation) -> tuple[SimNode, Place]:
    """A file of qm for qn that is still to be fetched."""
    qm, qn = federation["qm"], federation["qn"]
    qn.spool.free = 0
    query = (await ask_with(qm, about(federation), {"a.jpg": photo(5_000)})).asked.message_id
    await asyncio.sleep(30)
    (view,) = await files_at(qm, query)
    return qm, Place(direction=Direction.SENT, message_id=query, attachment_id=view.attachment_id)


async def asked_for(qm: SimNode, who: SimNode, place: Place, *, offset: int = 0) -> bytes:
    stream = qm.participant.offering.attachment(who.kit.name, place.message_id, place.attachment_id, offset=offset)
    return b"".join([piece async for piece in stream])


@simulated(automation=Automation.MANUAL)
async def test_a_file_is_given_to_the_party_it_went_to_and_to_nobody_else(federation: Federation):
    qm, place = await offered_by(federation)
    qn, qo = federation["qn"], federation["qo"]
    whole = await asked_for(qm, qn, place)
    assert await asked_for(qm, qn, place, offset=len(whole) - 3) == whole[-3:]
    assert await asked_for(qm, qn, place, offset=len(whole)) == b""
    with pytest.raises(Malformed):
        await asked_for(qm, qn, place, offset=len(whole) + 1)

    refusals = set()
    for who, wanted in (
        (qo, place),
        (qo, replace(place, message_id=bytes(16))),
        (qn, replace(place, attachment_id=bytes(16))),
    ):
        with pytest.raises(Forbidden) as refused:
            await asked_for(qm, who, wanted)
        refusals.add(refused.value.message)
    assert len(refusals) == 1  # whether it is there for somebody else is not told


@simulated(automation=Automation.MANUAL)
async def test_a_receipt_for_a_file_counts_from_its_receiver_alone(federation: Federation):
    qm, qn, qo = federation["qm"], federation["qn"], federation["qo"]
    query = (await ask_with(qm, about(federation), {"a.jpg": photo(5_000), "b.jpg": photo(6_000)})).asked.message_id
    await asyncio.sleep(30)
    first, second = await qm.storage.attachments(Direction.SENT, query)
    raw = encode_signed_receipt(first.receipt)
    for who, identifier in ((qo, first.named.attachment_id), (qn, bytes(16))):
        with pytest.raises(Forbidden):
            await qm.participant.offering.attached(who.kit.name, identifier, raw)
    bare = replace(second, receipt=None, state=AttachmentState.OFFERED)
    qm.storage._attachments[second.place] = bare
    with pytest.raises(Forbidden):  # the receipt of one file is none for another
        await qm.participant.offering.attached(qn.kit.name, second.named.attachment_id, raw)
    changed = encode_signed_receipt(replace(second.receipt, signature=bytes(64)))
    with pytest.raises(Unauthentic):
        await qm.participant.offering.attached(qn.kit.name, second.named.attachment_id, changed)
    assert await qm.storage.attachment(second.place) == bare


class Lying:
    """A sender that gives something else than it named."""

    def __init__(self, transport, pieces):
        self._transport = transport
        self._pieces = pieces
        self.pulls = 0

    async def pull(self, peer, message_id, attachment_id, *, offset):
        self.pulls += 1
        for piece in self._pieces(offset):
            await asyncio.sleep(0)
            yield piece

    async def attached(self, peer, attachment_id, receipt):
        raise AssertionError("nothing arrived")


def endless(_offset):
    while True:
        yield bytes(limits.ATTACHMENT_CHUNK_BYTES_MAX)


LIES = {
    "another file of the same size": (lambda offset: [bytes(5_072 - offset)] if offset < 5_072 else [], "unauthentic"),
    "a longer file": (lambda _offset: [bytes(5_073)], "malformed"),
    "without an end": (endless, "malformed"),
    "in pieces that are too large": (lambda _offset: [bytes(limits.ATTACHMENT_CHUNK_BYTES_MAX + 1)], "malformed"),
    "in empty pieces": (lambda _offset: [b"", b""], "malformed"),
    "a byte at a time": (lambda _offset: [b"x"], "unreachable"),
    "nothing": (lambda _offset: [], "unreachable"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_sender_that_gives_something_else_gets_nothing_in(lie: str):
    @simulated(automation=Automation.MANUAL)
    async def story(federation: Federation) -> None:
        qm, qn = federation["qm"], federation["qn"]
        pieces, problem = LIES[lie]
        lying = Lying(qn.participant.attachments._transport, pieces)
        qn.participant.attachments._transport = lying
        query = (await ask_with(qm, about(federation), {"a.jpg": photo(5_000)})).asked.message_id
        await asyncio.sleep(HOUR)

        (view,) = await files_at(qn, query)
        assert (view.state, view.problem) == (AttachmentState.WAITING, problem)
        assert not qn.spool.whole
        assert journalled(qn, "arrived") == 0
        assert 2 <= lying.pulls <= 30  # again and again, and later each time
        assert (await look(qm, query)).asked.problem == ""  # the message itself has arrived

        qn.participant.attachments._transport = lying._transport
        await asyncio.sleep(3 * HOUR)
        assert await states_at(qn, query) == RECEIPTED  # what was left of the lie is in nobody's way

    story()


@simulated(automation=Automation.MANUAL)
async def test_an_officer_brings_what_was_announced_or_nothing(federation: Federation):
    qm = federation["qm"]
    desk, who = qm.participant.attachment_desk, qm.kit.officers[0].name
    data = photo(600_000)
    identifier = await desk.begin_attachment(who, facts_of("a.jpg", data))
    assert await desk.add_to_attachment(who, identifier, 0, data[:200_000]) == 200_000
    assert await desk.add_to_attachment(who, identifier, 0, data[:200_000]) == 200_000  # its reply was lost
    with pytest.raises(Conflict):
        await desk.add_to_attachment(who, identifier, 300_000, data[300_000:400_000])
    with pytest.raises(NotFound, match="whole"):
        qm.participant.asking._uploads.claim(who, [identifier])
    with pytest.raises(Oversized):
        await desk.add_to_attachment(who, identifier, 200_000, bytes(node_limits.UPLOAD_CHUNK_BYTES + 1))
    other = await desk.begin_attachment(who, facts_of("b.jpg", data[:1_000]))
    with pytest.raises(InvalidInput, match="image/jpeg"):
        await desk.add_to_attachment(who, other, 0, b"MZ a program")
    with pytest.raises(InvalidInput, match="announced"):
        await desk.add_to_attachment(who, other, 0, data[:999] + b"!")
    with pytest.raises(NotFound):
        await desk.add_to_attachment(who, other, 0, data[:1_000])
    qm.faults.fail("write", When.AFTER)
    with pytest.raises(StoreUnavailable):
        await desk.add_to_attachment(who, identifier, 200_000, data[200_000:300_000])
    with pytest.raises(NotFound, match="broke"):
        await desk.add_to_attachment(who, identifier, 300_000, data[300_000:400_000])


@simulated(automation=Automation.MANUAL)
async def test_who_may_not_read_a_query_gets_none_of_its_files(federation: Federation):
    qm, qn = federation["qm"], federation["qn"]
    query = (await ask_with(qm, about(federation), {"a.jpg": photo(1_000)})).asked.message_id
    await asyncio.sleep(60)

    for node, act in ((qm, "query"), (qn, "inbox_entry")):
        (view,) = await files_at(node, query)
        desk = node.participant.attachment_desk
        entitled = desk._may

        async def refused(officer, asked, *, act=act, entitled=entitled, **about):
            if asked == act:
                raise Forbidden("this right was withdrawn")
            return await entitled(officer, asked, **about)

        desk._may = refused
        with pytest.raises(Forbidden):
            await files_at(node, query)
        with pytest.raises(Forbidden):
            await saved(node, query, view)
    with pytest.raises(NotFound):
        await files_at(federation["qo"], query)


def report_of(federation: Federation, raw: bytes) -> ProofReport:
    founded = federation.treaty.founded
    return check_proof(raw, log_key=federation.treaty.log_signer.public_key, genesis_digest=founded.digest)


@pytest.mark.parametrize("disclose", [Disclosure.NONE, Disclosure.ALL])
def test_the_sender_proves_that_a_file_arrived_and_says_of_another_that_it_cannot(disclose: Disclosure):
    @simulated(automation=Automation.MANUAL)
    async def run(federation: Federation) -> None:
        qm, qn = federation["qm"], federation["qn"]
        files = {"front.jpg": photo(90_000, "front"), "back.jpg": photo(80_000, "back")}
        query = (await ask_with(qm, about(federation), files)).asked.message_id
        await asyncio.sleep(60)
        officer = qm.kit.officers[0].name
        raw = await qm.at_desk(lambda desk: desk.proof(officer, query, disclose=disclose))

        (crossing,) = report_of(federation, raw).crossings
        assert {receipt.receiver for receipt in crossing.attached.values()} == {qn.kit.name}
        assert list(crossing.attached) == [file.attachment_id for file in crossing.header.attachments]
        found = findings(report_of(federation, raw))
        names = ["front.jpg", "back.jpg"] if disclose is Disclosure.ALL else [one.hex() for one in crossing.attached]
        for name in names:
            assert any(f"received the file {name} of the query whole" in sentence for sentence in found.proven)
        assert not any("file front" in sentence for sentence in found.not_proven)

        proof = decode_proof(raw)
        (shown,) = proof.crossings
        with_one = replace(shown, attached=shown.attached[:1])
        report = report_of(federation, encode_proof(replace(proof, crossings=(with_one,))))
        assert any(f"the file {names[1]} of the query arrived" in sentence for sentence in findings(report).not_proven)

        forged = replace(shown.attached[0], signature=shown.attached[1].signature)
        for attached in ((shown.attached[0],) * 2, (shown.receipt,), (forged,)):
            with pytest.raises((Forbidden, Unauthentic)):
                report_of(federation, encode_proof(replace(proof, crossings=(replace(shown, attached=attached),))))

    run()
