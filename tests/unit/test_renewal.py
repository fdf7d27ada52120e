"""A node's certificate on machines that sleep, and on clocks that are set right."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from federation.trust.chain import load_certificate, window_of
from node.rpc import renewal
from node.rpc.renewal import Identity
from node.use_cases.world import World
from tests.support.treaty import DAY, NOW, Treaty, entropy


class Clock:
    def __init__(self) -> None:
        self.time: float = NOW

    def now(self) -> float:
        return self.time


@pytest.mark.parametrize("jump_s", [30 * DAY, -30 * DAY], ids=["the machine slept", "the clock was ahead"])
async def test_a_certificate_that_the_clock_has_left_behind_is_made_anew_at_once(monkeypatch, jump_s):
    monkeypatch.setattr(renewal, "LOOK_S", 0)
    treaty, clock = Treaty.make(seed=95, now=NOW - 365 * DAY // 2), Clock()
    material = treaty.material("qm")
    world = World(clock=clock, entropy=entropy(95, "node"))
    identity = Identity(world=world, ca=lambda: material.ca, name=material.name, anchors={})
    running = asyncio.create_task(identity.run(None))
    for _ in range(5):
        await asyncio.sleep(0)
    first = identity.credential

    clock.time += jump_s
    for _ in range(5):
        await asyncio.sleep(0)

    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    window = window_of(load_certificate(identity.credential.certificate))
    assert identity.credential != first
    assert window.not_before <= clock.time < window.not_after


async def test_a_certificate_that_is_good_is_kept(monkeypatch):
    monkeypatch.setattr(renewal, "LOOK_S", 0)
    treaty, clock = Treaty.make(seed=95), Clock()
    material = treaty.material("qm")
    world = World(clock=clock, entropy=entropy(95, "node"))
    identity = Identity(world=world, ca=lambda: material.ca, name=material.name, anchors={})
    running = asyncio.create_task(identity.run(None))
    first = identity.credential

    clock.time += 2 * DAY
    for _ in range(5):
        await asyncio.sleep(0)

    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert identity.credential is first
