"""Files of messages as rows, and their ciphertext in the spool: in memory and on disk alike."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha512

import pytest

from federation.delivery.attachment import AttachmentState, Place, Spooled
from federation.delivery.direction import Direction
from federation.envelope.attachment import AttachmentId, Named
from federation.errors import Misuse, NotFound
from federation.ports import Change, Usage
from tests.support import samples
from tests.support.samples import QM, QN, message_id


def spooled(number: int, **changes: object) -> Spooled:
    fields: dict[str, object] = {
        "direction": Direction.RECEIVED,
        "message_id": message_id(number // 10),
        "named": Named(
            attachment_id=AttachmentId(number.to_bytes(16)), size=1_000 + number, sha512=sha512(b"%d" % number).digest()
        ),
        "peer": QM,
        "state": AttachmentState.WAITING,
        "since": 1_000,
        "changed": 2_000,
        "attempts": 3,
        "next_attempt": float(number),
        "problem": "unreachable",
    }
    return Spooled(**(fields | changes))  # type: ignore[arg-type]  # the names are checked by the dataclass


async def test_rows_come_back_as_they_were_put_in_their_order(exchange):
    async with exchange:
        rows = [spooled(12), spooled(11), spooled(13), spooled(25)]
        await exchange.store.commit(Change(attachments=tuple(rows)))
        await exchange.again()

        assert await exchange.store.attachments(Direction.RECEIVED, message_id(1)) == tuple(rows[:3])
        assert await exchange.store.attachments(Direction.SENT, message_id(1)) == ()
        assert await exchange.store.attachment(rows[3].place) == rows[3]
        assert await exchange.store.attachment(replace(rows[3].place, message_id=message_id(1))) is None


async def test_a_row_is_replaced_and_keeps_its_place(exchange):
    async with exchange:
        rows = [spooled(number, direction=Direction.SENT, state=AttachmentState.OFFERED) for number in (11, 12)]
        await exchange.store.commit(Change(attachments=tuple(rows)))
        done = replace(rows[0], state=AttachmentState.DELIVERED, changed=3_000, problem="", receipt=samples.receipt("file"))
        await exchange.store.commit(Change(attachments=(done,)))
        await exchange.again()

        assert await exchange.store.attachments(Direction.SENT, message_id(1)) == (done, rows[1])


async def test_what_has_arrived_gets_the_last_leaf_of_its_change(exchange):
    async with exchange:
        await exchange.store.commit(Change(leaves=(samples.leaf("before"),), attachments=(spooled(1),)))
        arrived = spooled(1, state=AttachmentState.ARRIVED)
        positions = await exchange.store.commit(
            Change(leaves=(samples.leaf("one"), samples.leaf("arrived")), attachments=(arrived, spooled(2)))
        )
        await exchange.again()

        assert await exchange.store.attachment(arrived.place) == replace(arrived, leaf=positions[1].index)
        assert (await exchange.store.attachment(spooled(2).place)).leaf == -1
        again = replace(arrived, leaf=positions[1].index, state=AttachmentState.RECEIPTED)
        await exchange.store.commit(Change(leaves=(samples.leaf("later"),), attachments=(again,)))
        assert await exchange.store.attachment(arrived.place) == again


async def test_what_is_due_comes_in_turn_and_no_peer_starves(exchange):
    async with exchange:
        many = [spooled(number) for number in range(1, 8)]
        late = spooled(50, peer=QN, state=AttachmentState.ARRIVED, leaf=0)
        others = [
            spooled(60, state=AttachmentState.RECEIPTED),
            spooled(61, state=AttachmentState.GONE),
            spooled(62, direction=Direction.SENT, state=AttachmentState.OFFERED),
        ]
        assert await exchange.store.attachments_next_due() is None
        await exchange.store.commit(Change(leaves=(samples.leaf("x"),), attachments=(*reversed(many), late, *others)))
        await exchange.again()

        assert await exchange.store.attachments_due(now=99.0, rows=3) == (*many[:3], late)
        assert await exchange.store.attachments_due(now=2.0, rows=3) == tuple(many[:2])
        assert await exchange.store.attachments_next_due() == 1.0


async def test_all_that_are_kept_can_be_looked_through_page_by_page(exchange):
    async with exchange:
        rows = [spooled(number, direction=direction) for direction in (Direction.RECEIVED, Direction.SENT) for number in range(7)]
        gone = spooled(30, state=AttachmentState.GONE)
        await exchange.store.commit(Change(attachments=(*reversed(rows), gone)))
        await exchange.again()

        found: list[Place] = []
        while page := await exchange.store.attachments_kept(after=found[-1] if found else None, rows=4):
            found += [one.place for one in page]
        assert found == [one.place for one in rows]


async def test_room_is_counted_for_all_and_for_one_peers_day(exchange):
    async with exchange:
        received = [
            spooled(1, state=AttachmentState.RECEIPTED, changed=500),
            spooled(2, state=AttachmentState.RECEIPTED, changed=1_500),
            spooled(3, state=AttachmentState.ARRIVED, leaf=0, changed=1_000),
            spooled(4),
            spooled(5, state=AttachmentState.GONE, changed=1_500),
            spooled(6, peer=QN, state=AttachmentState.RECEIPTED, changed=1_500),
        ]
        sent = spooled(7, direction=Direction.SENT, state=AttachmentState.DELIVERED, changed=1_500)
        assert await exchange.store.attachments_usage(QM, since=0) == Usage(spooled=0, day_bytes=0, day_files=0)
        await exchange.store.commit(Change(leaves=(samples.leaf("x"),), attachments=(*received, sent)))
        await exchange.again()

        usage = await exchange.store.attachments_usage(QM, since=1_000)
        assert usage == Usage(spooled=5_000 + 1 + 2 + 3 + 6 + 7, day_bytes=2_000 + 2 + 3, day_files=2)


# --- the files ----------------------------------------------------------------------------------------------------------

FILE = "received-" + "ab" * 16 + "-" + "cd" * 16


async def test_a_file_grows_piece_by_piece_and_is_settled_once(spool):
    async with spool:
        assert await spool.store.size(FILE, settled=False) is None
        await spool.store.write(FILE, 0, b"one ")
        await spool.again()
        await spool.store.write(FILE, 4, b"two ")
        await spool.store.write(FILE, 8, b"three")
        assert await spool.store.size(FILE, settled=False) == 13
        assert await spool.store.size(FILE, settled=True) is None
        assert await spool.store.read(FILE, 4, 3, settled=False) == b"two"
        with pytest.raises(NotFound):
            await spool.store.read(FILE, 0, 3, settled=True)

        await spool.store.settle(FILE)
        await spool.store.settle(FILE)
        await spool.again()
        assert await spool.store.size(FILE, settled=False) is None
        assert await spool.store.read(FILE, 4, 100, settled=True) == b"two three"
        assert await spool.store.read(FILE, 13, 100, settled=True) == b""


async def test_a_piece_is_put_where_the_file_has_come_to_and_replaces_what_lay_behind(spool):
    async with spool:
        await spool.store.write(FILE, 0, b"0123456789")
        await spool.store.write(FILE, 4, b"xy")
        assert await spool.store.read(FILE, 0, 100, settled=False) == b"0123xy"
        with pytest.raises(Misuse):
            await spool.store.write(FILE, 7, b"a hole before it")


async def test_files_are_listed_and_removed(spool):
    async with spool:
        assert await spool.store.files() == ()
        await spool.store.write(FILE, 0, b"partial")
        await spool.store.write("sent-00", 0, b"settled one")
        await spool.store.settle("sent-00")
        await spool.again()

        found = await spool.store.files()
        assert [(file.name, file.size, file.settled) for file in found] == [(FILE, 7, False), ("sent-00", 11, True)]
        for name in (FILE, "sent-00", "sent-01"):
            await spool.store.remove(name)
        assert await spool.store.files() == ()
        with pytest.raises(NotFound):
            await spool.store.settle(FILE)
        assert await spool.store.free_bytes() > 0
