"""`gsp doctor`: looks at the officer's profile, the way to the node, and what the node says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from federation.errors import FederationError
from node import limits as node_limits
from node.cli.documents import check_document
from node.cli.examination import examine
from node.cli.exit_codes import ExitCode
from node.cli.options import desk_options
from node.cli.output import Document, clock, columns, show
from node.cli.profile import Profile
from node.cli.serving import world
from node.cli.session import Surroundings, named_profile, pass_surroundings
from node.use_cases.desk_values import Check, Health, NodeStatus

_ENDINGS = {Health.GOOD: ExitCode.FINE, Health.WARNING: ExitCode.WARNING, Health.BAD: ExitCode.BAD}
_SIGNS = {Health.GOOD: "ok", Health.WARNING: "WARNING", Health.BAD: "BAD"}
_ORDER = tuple(Health)


@click.command
@desk_options
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="A node's folder: look at it without the node.")
@pass_surroundings
def doctor(surroundings: Surroundings, *, profile_folder: Path | None, home: Path | None, as_json: bool) -> int:
    """Look at everything that can go wrong; ends with 0 when all is good, 1 with a warning, 2 when something is broken.

    With an officer's profile it asks the node; with --home it looks at the node's folder, also when the node does not start.
    """
    if home is not None:
        return show_examination(asyncio.run(examine(home, world())), as_json=as_json)
    profile = named_profile(profile_folder)
    now = surroundings.clock.now()
    status, reached = asyncio.run(_ask_node(profile, surroundings))
    checks = (check_certificate(profile, now), reached, *(status.checks if status is not None else ()))
    return show_checks(profile, checks, status, as_json=as_json)


async def _ask_node(profile: Profile, surroundings: Surroundings) -> tuple[NodeStatus | None, Check]:
    """A node that does not answer is a finding, not the end of the examination."""
    try:
        async with surroundings.connect(profile, surroundings.clock) as desk:
            status = await desk.status()
    except FederationError as error:
        return None, Check(name="desk", health=Health.BAD, words=error.message, hint=error.hint)
    return status, Check(name="desk", health=Health.GOOD, words=f"{profile.node.dns} answers at {profile.desk}")


def check_certificate(profile: Profile, now: float) -> Check:
    """Whether the officer's certificate is valid, and for how long."""
    window = profile.window
    left_s = window.not_after - now
    words = f"of officer {profile.officer.officer_id}, valid until {clock(window.not_after)}"
    if left_s < 0 or now < window.not_before:
        hint = "ask the administrator for a new code, or set the clock of this machine"
        return Check(name="officer's certificate", health=Health.BAD, words=f"{words}: not valid now", hint=hint)
    if left_s < node_limits.OFFICER_CERTIFICATE_WARN_S:
        hint = "get the next one: `gsp officers renew`"
        return Check(name="officer's certificate", health=Health.WARNING, words=f"{words}: ends soon", hint=hint)
    return Check(name="officer's certificate", health=Health.GOOD, words=words)


def show_checks(profile: Profile, checks: Sequence[Check], status: NodeStatus | None, *, as_json: bool) -> int:
    """Print the table; the worst check decides how the command ends."""
    document = {
        "party": str(profile.officer.party),
        "node": profile.node.dns,
        "version": status.version if status is not None else None,
        "checks": [check_document(check) for check in checks],
        "figures": dict(sorted(status.figures.items())) if status is not None else {},
    }
    return _show(document, checks, as_json=as_json)


def show_examination(checks: Sequence[Check], *, as_json: bool) -> int:
    """The same for a folder that was looked at without its node."""
    return _show({"checks": [check_document(check) for check in checks]}, checks, as_json=as_json)


def _show(document: Document, checks: Sequence[Check], *, as_json: bool) -> int:
    lines = columns([(_SIGNS[check.health], check.name, check.words) for check in checks])
    hinted = [
        line
        for check, row in zip(checks, lines, strict=True)
        for line in (row, *([f"         hint: {check.hint}"] if check.hint and check.health is not Health.GOOD else []))
    ]
    show(document, hinted, as_json=as_json)
    return _ENDINGS[max((check.health for check in checks), key=_ORDER.index)]
