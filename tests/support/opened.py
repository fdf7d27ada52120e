"""A store that a test can close and open again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Generic, Self, TypeVar

Store = TypeVar("Store")


class Opened(Generic[Store]):
    """Used as `async with opened:`. Has the store as `store`; `again` closes and opens it when this is about what stays."""

    def __init__(self, open_store: Callable[[], AbstractAsyncContextManager[Store]], *, reopens: bool) -> None:
        self._open_store = open_store
        self._reopens = reopens
        self._stack = AsyncExitStack()
        self.store: Store

    async def __aenter__(self) -> Self:
        self.store = await self._stack.enter_async_context(self._open_store())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def again(self) -> None:
        if self._reopens:
            await self._stack.aclose()
            self.store = await self._stack.enter_async_context(self._open_store())


def kept(store: Store) -> Callable[[], AbstractAsyncContextManager[Store]]:
    """Opening a store in memory gives the same one each time."""

    @asynccontextmanager
    async def open_store() -> AsyncIterator[Store]:
        yield store

    return open_store
