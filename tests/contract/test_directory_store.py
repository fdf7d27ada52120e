import asyncio

import pytest

from federation.errors import Conflict, Malformed, NotFound
from federation.trust import merkle

LEAVES = [f"entry {number}".encode() for number in range(13)]


def roots(leaves):
    frontier = merkle.Frontier()
    yield frontier.root()
    for leaf in leaves:
        frontier, _ = frontier.append(merkle.leaf_hash(leaf))
        yield frontier.root()


async def test_a_new_directory_is_empty(directory):
    async with directory:
        assert await directory.store.size() == 0
        assert await directory.store.checkpoint() is None
        assert await directory.store.leaves(0, 10) == ()


async def test_leaves_and_their_checkpoint_are_kept_together(directory):
    async with directory:
        await directory.store.append(first=0, leaves=LEAVES[:5], checkpoint=b"checkpoint 5")
        await directory.again()
        await directory.store.append(first=5, leaves=LEAVES[5:], checkpoint=b"checkpoint 13")
        await directory.again()

        assert await directory.store.size() == 13
        assert await directory.store.checkpoint() == b"checkpoint 13"
        assert await directory.store.leaves(0, 13) == tuple(LEAVES)


async def test_a_section_is_cut_off_at_the_end_of_the_log(directory):
    async with directory:
        await directory.store.append(first=0, leaves=LEAVES, checkpoint=b"checkpoint")
        await directory.again()

        assert await directory.store.leaves(3, 6) == tuple(LEAVES[3:6])
        assert await directory.store.leaves(11, 2**70) == tuple(LEAVES[11:])
        assert await directory.store.leaves(2**70, 2**71) == ()
        assert await directory.store.leaves(6, 6) == ()


async def test_a_repetition_changes_nothing(directory):
    async with directory:
        await directory.store.append(first=0, leaves=LEAVES[:8], checkpoint=b"checkpoint 8")
        await directory.again()
        for first, end in ((0, 8), (0, 3), (5, 8)):
            await directory.store.append(first=first, leaves=LEAVES[first:end], checkpoint=b"an older one")

        assert await directory.store.size() == 8
        assert await directory.store.checkpoint() == b"checkpoint 8"


@pytest.mark.parametrize(
    ("first", "leaves"),
    [
        pytest.param(9, [b"new"], id="beyond the end"),
        pytest.param(0, [b"another"], id="another leaf"),
        pytest.param(7, [LEAVES[7], b"new"], id="partly new"),
        pytest.param(3, [], id="nothing at an old place"),
    ],
)
async def test_what_does_not_fit_is_refused_whole(directory, first, leaves):
    async with directory:
        await directory.store.append(first=0, leaves=LEAVES[:8], checkpoint=b"checkpoint 8")
        with pytest.raises(Conflict):
            await directory.store.append(first=first, leaves=leaves, checkpoint=b"another")
        await directory.again()

        assert await directory.store.leaves(0, 20) == tuple(LEAVES[:8])
        assert await directory.store.checkpoint() == b"checkpoint 8"


async def test_of_two_who_append_at_one_place_one_is_told(directory):
    async with directory:
        results = await asyncio.gather(
            *(directory.store.append(first=0, leaves=[leaf], checkpoint=leaf) for leaf in (b"one", b"two")),
            return_exceptions=True,
        )
        await directory.again()

        assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
        (leaf,) = await directory.store.leaves(0, 5)
        assert await directory.store.checkpoint() == leaf


async def test_cosignatures_are_added_to_the_checkpoint_of_the_same_size_only(directory):
    async with directory:
        await directory.store.append(first=0, leaves=LEAVES[:5], checkpoint=b"checkpoint 5")
        await directory.store.put_checkpoint(b"checkpoint 5, cosigned", size=5)
        await directory.again()
        assert await directory.store.checkpoint() == b"checkpoint 5, cosigned"

        await directory.store.append(first=5, leaves=LEAVES[5:], checkpoint=b"checkpoint 13")
        with pytest.raises(Conflict):
            await directory.store.put_checkpoint(b"checkpoint 5, cosigned more", size=5)
        await directory.again()
        assert await directory.store.checkpoint() == b"checkpoint 13"


async def test_proofs_hold_for_every_size(directory):
    async with directory:
        await directory.store.append(first=0, leaves=LEAVES, checkpoint=b"checkpoint")
        await directory.again()

        sizes = list(enumerate(roots(LEAVES)))[1:]
        for size, root in sizes:
            for index in range(size):
                proof = await directory.store.inclusion(index, size)
                leaf = merkle.leaf_hash(LEAVES[index])
                merkle.verify_inclusion(leaf_hash=leaf, index=index, size=size, proof=proof, root=root)
            for old_size, old_root in sizes[:size]:
                proof = await directory.store.consistency(old_size, size)
                merkle.verify_consistency(old_size=old_size, old_root=old_root, new_size=size, new_root=root, proof=proof)


async def test_proofs_about_what_is_not_there_are_refused(directory):
    async with directory:
        await directory.store.append(first=0, leaves=LEAVES, checkpoint=b"checkpoint")
        with pytest.raises(NotFound):
            await directory.store.consistency(14, 14)
        with pytest.raises(NotFound):
            await directory.store.inclusion(0, 14)
        with pytest.raises(Malformed):
            await directory.store.consistency(0, 13)
