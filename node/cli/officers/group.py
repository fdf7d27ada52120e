"""The group of all verbs about officers."""

from __future__ import annotations

import click

from node.cli.officers.changing import approve_command, grant_command, withdraw_command
from node.cli.officers.enrolling import enrol_command, renew_command
from node.cli.officers.inviting import invite_command
from node.cli.officers.looking import list_command, pending_command, show_command, used_command


@click.group
def officers() -> None:
    """Invite officers, grant and withdraw rights, see who did what; enrol and renew as an officer."""


for _command in (
    invite_command,
    enrol_command,
    renew_command,
    list_command,
    show_command,
    grant_command,
    withdraw_command,
    pending_command,
    approve_command,
    used_command,
):
    officers.add_command(_command)
