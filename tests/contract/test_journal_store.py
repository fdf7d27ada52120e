import pytest

from federation.errors import Malformed, Misuse, NotFound
from federation.evidence.journal import Epoch
from federation.ports import Change
from federation.trust import merkle
from tests.support import samples

SIZE = 21


async def fill(store, size=SIZE):
    leaves = [samples.leaf(f"leaf {number}") for number in range(size)]
    await store.commit(Change(leaves=tuple(leaves[: size // 2])))
    await store.commit(Change(leaves=tuple(leaves[size // 2 :])))
    return leaves


def roots(leaves):
    frontier = merkle.Frontier()
    yield frontier.root()
    for leaf in leaves:
        frontier, _ = frontier.append(leaf.hash())
        yield frontier.root()


async def test_the_frontier_is_that_of_all_leaves(exchange):
    async with exchange:
        assert await exchange.store.frontier() == merkle.Frontier()
        *_, root = roots(await fill(exchange.store))
        await exchange.again()

        frontier = await exchange.store.frontier()
        assert (frontier.size, frontier.root()) == (SIZE, root)


async def test_every_leaf_is_proved_in_every_tree_that_holds_it(exchange):
    async with exchange:
        leaves = await fill(exchange.store)
        await exchange.again()

        for size, root in enumerate(roots(leaves)):
            for index in range(size):
                proof = await exchange.store.inclusion(index, size)
                merkle.verify_inclusion(leaf_hash=leaves[index].hash(), index=index, size=size, proof=proof, root=root)


async def test_every_tree_is_proved_to_continue_every_earlier_one(exchange):
    async with exchange:
        sizes = list(enumerate(roots(await fill(exchange.store))))[1:]
        await exchange.again()

        for old_size, old_root in sizes:
            for new_size, new_root in sizes[old_size - 1 :]:
                proof = await exchange.store.consistency(old_size, new_size)
                merkle.verify_consistency(old_size=old_size, old_root=old_root, new_size=new_size, new_root=new_root, proof=proof)


async def test_a_journal_goes_on_where_it_was_closed(exchange):
    async with exchange:
        leaves = await fill(exchange.store)
        await exchange.again()
        later = samples.leaf("later")
        (position,) = await exchange.store.commit(Change(leaves=(later,)))

        *_, root = roots([*leaves, later])
        assert (position.index, position.root) == (SIZE, root)


async def test_a_leaf_that_was_never_there_is_none(exchange):
    async with exchange:
        await fill(exchange.store)
        for index in (-1, SIZE, 2**63 - 1, 2**70):
            assert await exchange.store.leaf(index) is None


async def test_a_size_beyond_the_end_is_not_found(exchange):
    async with exchange:
        await fill(exchange.store)
        for call in (exchange.store.inclusion(0, SIZE + 1), exchange.store.inclusion(SIZE, SIZE + 1)):
            with pytest.raises(NotFound):
                await call
        for old_size in (1, SIZE, SIZE + 1):
            with pytest.raises(NotFound):
                await exchange.store.consistency(old_size, SIZE + 1)
        with pytest.raises(NotFound):
            await exchange.store.inclusion(0, 2**70)


async def test_numbers_that_no_log_has_are_malformed(exchange):
    async with exchange:
        await fill(exchange.store)
        for call in (
            exchange.store.inclusion(5, 5),
            exchange.store.inclusion(-1, 5),
            exchange.store.inclusion(0, -1),
            exchange.store.consistency(0, 5),
            exchange.store.consistency(6, 5),
        ):
            with pytest.raises(Malformed):
                await call


async def test_an_epoch_begins_with_the_first_leaf_of_its_change_and_once(exchange):
    async with exchange:
        store = exchange.store
        assert await store.epochs() == (Epoch(number=1, first=0),)
        await store.commit(Change(leaves=(samples.leaf("before"),)))
        await store.commit(Change(leaves=(samples.leaf("begins"), samples.leaf("goes on")), epoch=1_800_000_000))
        await exchange.again()

        assert await store_of(exchange).epochs() == (Epoch(number=1, first=0), Epoch(number=1_800_000_000, first=1))
        for wrong in (
            Change(leaves=(samples.leaf("again"),), epoch=1_800_000_000),
            Change(leaves=(samples.leaf("again"),), epoch=1),
            Change(epoch=1_800_000_001),
        ):
            with pytest.raises(Misuse):
                await store_of(exchange).commit(wrong)
        assert (await store_of(exchange).frontier()).size == 3
        assert len(await store_of(exchange).epochs()) == 2


def store_of(opened):
    """The store, which is another one after it was opened again."""
    return opened.store
