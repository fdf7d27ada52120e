"""The loop on virtual time: it leaps, it keeps an order, and it says so when a program cannot go on."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from tests.support.virtual_clock import (
    EPOCH,
    Deadlock,
    Livelock,
    RealWorld,
    SeededEntropy,
    VirtualLoop,
    WallClock,
    run_virtual,
    virtual_loop,
)


def test_a_month_passes_at_once_and_to_the_second():
    async def main(loop: VirtualLoop) -> float:
        await asyncio.sleep(30 * 86_400)
        return loop.time()

    assert run_virtual(main) == pytest.approx(30 * 86_400, abs=1e-3)


def test_timers_ring_in_the_order_of_their_times_whatever_the_order_of_setting():
    async def main(_loop: VirtualLoop) -> list[int]:
        rang: list[int] = []

        async def ring(after: int) -> None:
            await asyncio.sleep(after)
            rang.append(after)

        async with asyncio.TaskGroup() as group:
            for after in (5, 1, 86_400 * 3, 3, 2):
                group.create_task(ring(after))
        return rang

    assert run_virtual(main) == [1, 2, 3, 5, 86_400 * 3]


def test_a_timeout_of_an_hour_is_over_at_once_and_after_an_hour():
    async def main(loop: VirtualLoop) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3_600):
                await asyncio.Event().wait()
        return loop.time()

    assert run_virtual(main) == pytest.approx(3_600, abs=1e-3)


def test_tasks_of_a_group_are_cancelled_in_the_order_in_which_they_began():
    async def main(_loop: VirtualLoop) -> list[int]:
        ended: list[int] = []

        async def wait(number: int) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(number)

        async def begin_and_fail() -> None:
            async with asyncio.TaskGroup() as group:
                for number in range(50):
                    group.create_task(wait(number))
                await asyncio.sleep(1)
                raise ValueError("the end")

        with pytest.raises(ExceptionGroup):
            await begin_and_fail()
        return ended

    assert run_virtual(main) == list(range(50))


def test_a_program_that_waits_for_itself_is_told_where():
    async def main(_loop: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"main at .*test_virtual_clock\.py"):
        run_virtual(main)


def test_a_program_that_goes_round_in_circles_is_stopped():
    async def main(_loop: VirtualLoop) -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Livelock):
        run_virtual(main)


def test_threads_and_sockets_are_refused_with_a_reason():
    async def main(loop: VirtualLoop) -> None:
        with pytest.raises(RealWorld, match="no threads"):
            await asyncio.to_thread(time.monotonic)
        with pytest.raises(RealWorld, match="no threads"):
            await asyncio.open_connection("localhost", 1)
        with pytest.raises(RealWorld, match="no threads"):
            loop.call_soon_threadsafe(print)
        with socket.socket() as unconnected, pytest.raises(RealWorld, match="no threads"):
            loop.add_reader(unconnected, print)

    run_virtual(main)


def test_a_task_that_outlives_its_block_is_an_error():
    async def leave_behind(loop: VirtualLoop) -> None:
        loop.left = loop.create_task(asyncio.sleep(10))  # type: ignore[attr-defined]  # somebody has to hold it

    with pytest.raises(AssertionError, match="outlive"), virtual_loop() as loop:
        loop.run_until_complete(leave_behind(loop))


def test_wall_clocks_run_with_the_loop_and_each_with_its_own_error():
    async def main(loop: VirtualLoop) -> tuple[float, float]:
        right, wrong = WallClock(loop), WallClock(loop, skew_s=-600)
        await asyncio.sleep(86_400)
        return right.now() - EPOCH, wrong.now() - EPOCH

    assert run_virtual(main) == pytest.approx((86_400, 85_800), abs=1e-3)


def test_entropy_is_the_same_for_the_same_seed_and_never_twice_the_same():
    first, again, other = SeededEntropy(1, "qm"), SeededEntropy(1, "qm"), SeededEntropy(1, "qn")

    drawn = [first(16) for _ in range(3)]

    assert drawn == [again(16) for _ in range(3)]
    assert len({*drawn, other(16)}) == 4
