"""Files between two whole nodes, over mutual TLS, SQLite and a disk: brought, cut, gone on with, receipted and saved."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha512
from pathlib import Path

import click
import pytest

from benchmarks.federation import Bench, federation
from federation import limits
from federation.boundary.receipts import read_receipt_of
from federation.delivery.attachment import AttachmentState
from federation.delivery.direction import Direction
from federation.envelope.attachment import arrival_digest
from federation.errors import Conflict, Forbidden, InvalidInput, Malformed, NotFound, StoreUnavailable, Unauthentic
from federation.evidence.journal import JournalKind
from federation.identity import MessageId, PartyId
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import ALL_ITEMS
from federation.trust.keys import SoftwareSigner
from node.cli import attachments as cli
from node.cli.ask import Wish, ask_at_desk
from node.cli.profile import Profile
from node.cli.session import Session
from node.clock import SystemClock
from node.joining import Joined
from node.rpc.attachment_desk import AttachmentDeskClient
from node.rpc.desk import DeskClient
from node.rpc.officer import OfficerKey

JPEG = b"\xff\xd8\xff\xe0"
SECRET = b"a face in the window of the lorry "


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with federation(tmp_path_factory.mktemp("federation"), together=True) as running:
        yield running


def session_of(joined: Joined) -> Session:
    signer = SoftwareSigner(joined.officer_seed)
    key = OfficerKey(certificate=joined.officer_certificate, signer=signer)
    profile = Profile(
        folder=Path("profile"),
        officer=joined.officer,
        desk=joined.desk,
        node=joined.node,
        certificate=joined.officer_certificate,
        party_cas=(joined.party_ca,),
        signer=signer,
    )
    desk = DeskClient(endpoint=joined.desk, node=joined.node, anchors=(joined.party_ca,), key=key, clock=SystemClock())
    return Session(profile=profile, desk=desk, clock=SystemClock())


def wish(bench: Bench, *paths: Path) -> Wish:
    return Wish(
        scans=(bench.showcases["pack-exported"],),
        to=PartyId("qn"),
        items=ALL_ITEMS,
        purpose=Purpose.DETECTION,
        necessity="a pack found at the border",
        handling=HandlingCode.H1,
        urgency=Urgency.NORMAL,
        reference="",
        deadline_s=86_400,
        wait_s=0,
        lenient=False,
        attach=paths,
    )


async def states(desk: AttachmentDeskClient, query: MessageId, wanted: AttachmentState) -> tuple[cli.AttachmentView, ...]:
    """The files, when all of them stand where they should."""
    async with asyncio.timeout(30):
        while True:
            views = await desk.attachments(query)
            if all(view.state is wanted for view in views):
                return views
            await asyncio.sleep(0.05)


class Flaky:
    """A spool whose disk stutters: every fifth read fails, in the middle of a stream."""

    def __init__(self, spool) -> None:
        self._spool = spool
        self.reads = 0
        self.offsets: list[int] = []

    async def read(self, file: str, offset: int, length: int, *, settled: bool) -> bytes:
        self.reads += 1
        if self.reads % 5 == 0:
            raise StoreUnavailable("the disk stutters")
        self.offsets.append(offset)
        return await self._spool.read(file, offset, length, settled=settled)

    def __getattr__(self, name: str):
        return getattr(self._spool, name)


async def test_a_photo_is_cut_again_and_again_and_arrives_whole_and_receipted(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "RETRY_S_MIN", 0.05)
    photo = JPEG + (SECRET * (3 * 2**20 // len(SECRET)))
    path, report = tmp_path / "lorry.jpg", tmp_path / "what we know.pdf"
    path.write_bytes(photo)
    report.write_bytes(b"%PDF-1.7 " + SECRET)
    offering = bench.asking.offering
    flaky = Flaky(offering._spool)
    monkeypatch.setattr(offering, "_spool", flaky)
    asker, answerer = session_of(bench.joined), session_of(bench.answering)

    async with asker.desk, answerer.desk:
        query = (await ask_at_desk(wish(bench, path, report), asker)).asked.message_id
        here = AttachmentDeskClient(answerer.desk)
        views = await states(here, query, AttachmentState.RECEIPTED)
        folder = tmp_path / "saved"
        folder.mkdir()
        (folder / "lorry.jpg").write_bytes(b"somebody else's")
        saved = [await cli.save(here, query, view, folder) for view in views]
        await states(AttachmentDeskClient(asker.desk), query, AttachmentState.DELIVERED)
        entry = await answerer.desk.inbox_entry(query)

    assert [one.facts.sha512 for one in entry.query.attachments] == [sha512(one).digest() for one in (photo, report.read_bytes())]
    assert [one.name for one in saved] == ["lorry (2).jpg", "what we know.pdf"]
    assert [one.read_bytes() for one in saved] == [photo, report.read_bytes()]
    assert (folder / "lorry.jpg").read_bytes() == b"somebody else's"
    assert sorted(one.name for one in folder.iterdir()) == ["lorry (2).jpg", "lorry.jpg", "what we know.pdf"]
    assert flaky.reads > 13  # of which each fifth ended a stream
    assert len(flaky.offsets) == len(set(flaky.offsets)) + 1  # no piece came twice: two files begin at 0

    for home in (bench.homes / "qm", bench.homes / "qn"):
        files = list((home / "attachments").iterdir())
        assert len(files) == 2
        assert not any(SECRET in file.read_bytes() for file in files)
        assert all(file.stat().st_mode & 0o077 == 0 for file in files)

    for row in await offering.rows.attachments(Direction.SENT, query):
        receipt = read_receipt_of(  # the evidence that it arrived, for whoever doubts it
            row.receipt,
            roster=bench.asking.registry.roster,
            receiver=bench.answering.node,
            message_id=query,
            digest=arrival_digest(query, row.named),
            kind=JournalKind.ATTACHED,
        )
        with pytest.raises(Forbidden):
            read_receipt_of(
                row.receipt,
                roster=bench.asking.registry.roster,
                receiver=bench.answering.node,
                message_id=query,
                digest=receipt.envelope_digest[::-1],
                kind=JournalKind.ATTACHED,
            )
        with pytest.raises(Unauthentic):  # it is no receipt for a message
            read_receipt_of(
                row.receipt,
                roster=bench.asking.registry.roster,
                receiver=bench.answering.node,
                message_id=query,
                digest=receipt.envelope_digest,
            )


async def test_an_officers_download_goes_on_where_it_was_cut(bench, tmp_path, monkeypatch):
    photo = JPEG + os.urandom(2_000_000)
    path = tmp_path / "a.jpg"
    path.write_bytes(photo)
    asker = session_of(bench.joined)
    async with asker.desk:
        query = (await ask_at_desk(wish(bench, path), asker)).asked.message_id
        desk = AttachmentDeskClient(asker.desk)
        (view,) = await desk.attachments(query)
        pieces = [piece async for piece in desk.fetch(query, view, offset=1_999_000)]
        assert b"".join(pieces) == photo[1_999_000:]
        with pytest.raises(Malformed):
            _ = [piece async for piece in desk.fetch(query, view, offset=len(photo) + 1)]
        with pytest.raises(NotFound):
            _ = [piece async for piece in desk.fetch(query, replace(view, attachment_id=bytes(16)))]
        spool = bench.asking.attachment_desk._spool
        file = bench.homes / "qm" / "attachments" / f"sent-{view.attachment_id.hex()}"
        raw = file.read_bytes()
        assert await spool.size(file.name, settled=True) == len(raw)
        file.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))  # somebody was at the disk
        with pytest.raises(Unauthentic):
            await cli.save(desk, query, view, tmp_path)
        assert sorted(one.name for one in tmp_path.iterdir()) == ["a.jpg"]
        file.write_bytes(raw)


async def test_files_that_are_not_what_they_say_do_not_leave_the_officers_machine(tmp_path):
    cases = {"run.exe": b"MZ", "notes": b"text", "a.jpg": b"%PDF-", "empty.png": b"", ".hidden.jpg": JPEG, "con.jpg": JPEG}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InvalidInput):
            cli.describe([tmp_path / name])
    same = tmp_path / "other"
    same.mkdir()
    for path in (tmp_path / "b.jpg", same / "B.JPG"):
        path.write_bytes(JPEG)
    with pytest.raises(InvalidInput, match="same name"):
        cli.describe([tmp_path / "b.jpg", same / "B.JPG"])


async def test_the_verb_lists_and_saves(bench, tmp_path, capsys):
    path = tmp_path / "list.csv"
    path.write_text("code;place\n", encoding="utf-8")
    asker = session_of(bench.joined)
    async with asker.desk:
        query = (await ask_at_desk(wish(bench, path), asker)).asked.message_id
        await states(AttachmentDeskClient(asker.desk), query, AttachmentState.DELIVERED)
        views = await AttachmentDeskClient(asker.desk).attachments(query)
    lines = list(cli._lines(views, {}))
    assert lines == ["FILE      SIZE  FROM  STATE", "list.csv  11 B  qm    delivered"]
    document = json.loads(json.dumps([cli._document(view, None) for view in views]))
    assert document[0]["media_type"] == "text/csv"
    assert document[0]["state"] == "delivered"
    assert list(cli._lines((), {})) == ["No files go with this query or its answers."]
    half = replace(views[0], state=AttachmentState.WAITING, here=63, whole=100)
    assert cli.state_words(half) == "63 % here"
    assert cli.state_words(replace(half, here=0, problem="unreachable")) == "waiting (the other node did not answer)"
    folder = tmp_path / "full"
    folder.mkdir()
    part = folder / "part"
    part.write_bytes(b"x")
    for number in range(1, cli._NUMBERS_MAX + 1):
        (folder / ("a.txt" if number == 1 else f"a ({number}).txt")).touch()
    with pytest.raises(Conflict):
        cli._placed(part, folder, "a.txt")
    assert isinstance(cli.attachments, click.Command)
