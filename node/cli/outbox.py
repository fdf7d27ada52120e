"""`gsp outbox`: what waits for other Parties."""

from __future__ import annotations

import click

from node.cli.outbox_export import export


@click.group
def outbox() -> None:
    """Look after what waits for other Parties."""


outbox.add_command(export)
