"""A program that commits until it is killed, and says each time what the store has acknowledged.

Called as `python -m tests.support.commit_for_ever FILE`. Every line it prints is the number of a change that returned.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from federation.ports import Change
from node.store.exchange import SqliteExchange
from node.store.vault import Vault
from tests.support import samples

STORAGE_KEY = b"k" * 32
TASKS = 8


def change(number: int) -> Change:
    """A query goes out: everything that changes then."""
    return Change(
        marks=(samples.mark(number),),
        asked=(samples.asked(number),),
        crossings=(samples.crossing(number),),
        outgoing=(samples.outgoing(number),),
        keys=(samples.key(number),),
        leaves=(samples.leaf(f"sent {number}"),),
    )


async def main(path: Path) -> None:
    numbers = itertools.count()

    async def commit_for_ever(store: SqliteExchange) -> None:
        for number in numbers:
            await store.commit(change(number))
            print(number, flush=True)  # noqa: T201  # its way of talking

    vault = Vault(STORAGE_KEY, entropy=os.urandom)
    async with SqliteExchange.open(path, vault=vault) as store, asyncio.TaskGroup() as tasks:
        for _ in range(TASKS):
            tasks.create_task(commit_for_ever(store))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
