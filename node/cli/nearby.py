"""`gsp party nearby`: where a join port may be on the local network. Hints, and nothing is believed for them."""

from __future__ import annotations

import asyncio

import click

from node.cli.exit_codes import ExitCode
from node.cli.options import json_option
from node.cli.output import columns, show
from node.discovery import nearby


@click.command("nearby")
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=3.0, show_default=True, help="How long to listen.")
@json_option
def nearby_command(*, seconds: float, as_json: bool) -> int:
    """Look for join ports on the local network. Anybody can announce one: it counts only with the code, which knows its certificate."""
    hints = asyncio.run(nearby(seconds))
    lines = columns([("DOMAIN, AS CLAIMED", "JOIN PORT"), *((hint.domain, hint.address) for hint in hints)])
    lines += (
        ["Hints only. Try one with your code: gsp party join CODE --at HOST:PORT"] if hints else ["Nobody announces one here."]
    )
    show({"hints": [{"domain": hint.domain, "address": hint.address} for hint in hints]}, lines, as_json=as_json)
    return ExitCode.FINE
