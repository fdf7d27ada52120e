"""An officer at work: the profile that was named, the desk of the own node, and the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import click

from federation.errors import InvalidConfiguration
from federation.ports import Clock
from federation.query.lifecycle import AskedState
from node.cli.output import clock
from node.cli.profile import Profile, keep_authorities, read_profile
from node.clock import SystemClock
from node.rpc.administration import AdministrationClient
from node.rpc.desk import DeskClient
from node.rpc.officer import OfficerKey
from node.rpc.signed import SignedLine
from node.use_cases.desk_values import QueryView

Client = TypeVar("Client", bound=SignedLine)

_OPEN: Final = frozenset({AskedState.QUEUED, AskedState.DELIVERED})


@asynccontextmanager
async def at_desk(client: type[Client], profile: Profile, now: Clock) -> AsyncIterator[Client]:
    """Any service at the desk that a profile names. What the node tells of its Party's CAs is kept in the profile."""
    line = client(
        endpoint=profile.desk,
        node=profile.node,
        anchors=profile.party_cas,
        key=OfficerKey(certificate=profile.certificate, signer=profile.signer),
        clock=now,
    )
    async with line:
        try:
            yield line
        finally:
            keep_authorities(profile, line.authorities)


def desk_of(profile: Profile, now: Clock) -> AbstractAsyncContextManager[DeskClient]:
    """The desk that a profile names."""
    return at_desk(DeskClient, profile, now)


def administration_of(profile: Profile, now: Clock) -> AbstractAsyncContextManager[AdministrationClient]:
    """The officers' administration at that desk."""
    return at_desk(AdministrationClient, profile, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the verbs take from the world. Whoever runs them inside another program gives its own."""

    clock: Clock = field(default_factory=SystemClock)
    connect: Callable[[Profile, Clock], AbstractAsyncContextManager[DeskClient]] = desk_of
    administer: Callable[[Profile, Clock], AbstractAsyncContextManager[AdministrationClient]] = administration_of


pass_surroundings = click.make_pass_decorator(Surroundings, ensure=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One officer at one desk. Time is asked for when something is signed: people think before they say yes."""

    profile: Profile
    desk: DeskClient
    clock: Clock


@asynccontextmanager
async def session(surroundings: Surroundings, folder: Path | None) -> AsyncIterator[Session]:
    """Open the desk for the officer of a profile.

    Raises:
        InvalidConfiguration: no profile is named, it cannot be used, or its certificate is not valid now.
    """
    profile = named_profile(folder)
    check_window(profile, surroundings.clock.now())
    async with surroundings.connect(profile, surroundings.clock) as desk:
        yield Session(profile=profile, desk=desk, clock=surroundings.clock)


@asynccontextmanager
async def administering(surroundings: Surroundings, folder: Path | None) -> AsyncIterator[tuple[Profile, AdministrationClient]]:
    """Open the officers' administration for the officer of a profile.

    Raises:
        InvalidConfiguration: no profile is named, it cannot be used, or its certificate is not valid now.
    """
    profile = named_profile(folder)
    check_window(profile, surroundings.clock.now())
    async with surroundings.administer(profile, surroundings.clock) as administration:
        yield profile, administration


def named_profile(folder: Path | None) -> Profile:
    """Read the profile, if one is named."""
    if folder is None:
        raise InvalidConfiguration(
            "no officer's profile is named", hint="give --officer DIR, or set GSP_OFFICER to the folder of the profile"
        )
    return read_profile(folder)


def check_window(profile: Profile, now: float) -> None:
    """Say it here, in the words for an officer, before the node refuses every call."""
    window = profile.window
    if not window.not_before <= now <= window.not_after:
        raise InvalidConfiguration(
            f"your certificate is valid from {clock(window.not_before)} to {clock(window.not_after)}, "
            f"and the clock here says {clock(now)}",
            hint="ask the administrator for a new code, or set the clock of this machine",
        )


async def follow(desk: DeskClient, view: QueryView, *, wait_s: float) -> QueryView:
    """Wait for the final answer, at most that long; gives the newest view."""
    timer = asyncio.get_running_loop().time
    end = timer() + wait_s
    while view.asked.state in _OPEN and (left := end - timer()) > 0:
        view = await desk.query(view.asked.message_id, wait_s=left)
    return view
