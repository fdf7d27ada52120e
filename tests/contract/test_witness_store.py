"""What a node says and hears about the directory by itself: cosigned, published, noticed."""

from __future__ import annotations

import pytest

from federation.errors import Conflict
from federation.ports import Cosigned, Notice, NoticeKind


def cosigned(size: int, root: bytes = b"r") -> Cosigned:
    return Cosigned(size=size, root=root * 32, checkpoint=b"note %d" % size)


async def test_a_new_witness_has_cosigned_nothing(directory):
    async with directory:
        assert await directory.store.cosigned() is None
        assert not await directory.store.restored()


async def test_what_is_cosigned_is_written_down_and_grows(directory):
    async with directory:
        for one in (cosigned(3), cosigned(3), cosigned(9, b"s")):
            await directory.store.put_cosigned(one)
            await directory.again()

            assert await directory.store.cosigned() == one


@pytest.mark.parametrize("other", [cosigned(4), cosigned(5, b"x")], ids=["smaller", "another root"])
async def test_a_witness_never_cosigns_two_histories(directory, other):
    async with directory:
        await directory.store.put_cosigned(cosigned(5))
        with pytest.raises(Conflict):
            await directory.store.put_cosigned(other)
        await directory.again()

        assert await directory.store.cosigned() == cosigned(5)


async def test_the_mark_of_a_restored_file_stays_until_it_is_taken_away(directory):
    async with directory:
        for restored in (True, True, False, False):
            await directory.store.mark_restored(restored=restored)
            await directory.again()

            assert await directory.store.restored() == restored


async def test_notices_are_kept_once_and_until_they_are_settled(directory):
    split = Notice(kind=NoticeKind.SPLIT_VIEW, raw=b"proof")
    revocation = Notice(kind=NoticeKind.REVOCATION, raw=b"proof")
    async with directory:
        for one in (split, revocation, split):
            await directory.store.put_notice(one)
        await directory.again()
        assert await directory.store.notices() == tuple(sorted((split, revocation), key=lambda one: one.digest))

        await directory.store.drop_notice(revocation)
        await directory.store.drop_notice(revocation)
        await directory.again()
        assert await directory.store.notices() == (split,)


async def test_what_was_published_is_not_taken_back(directory):
    async with directory:
        assert await directory.store.published() is None
        await directory.store.publish(b"five", size=5)
        await directory.store.publish(b"five, cosigned", size=5)
        await directory.store.publish(b"nine", size=9)
        with pytest.raises(Conflict):
            await directory.store.publish(b"five", size=5)
        await directory.again()

        assert await directory.store.published() == b"nine"
