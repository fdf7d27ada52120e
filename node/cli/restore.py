"""`gsp restore`: put a backup back into an empty folder."""

from __future__ import annotations

from pathlib import Path

import click

from node import backup as backups
from node.cli.backup import OF_BACKUP, manifest_document, sealing_options
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, json_option
from node.cli.output import clock, show
from node.cli.serving import passphrase, world
from node.formats.backups import HomeKind


@click.command
@click.argument("file", type=FILE)
@click.option(
    "--home",
    required=True,
    metavar="DIR",
    envvar="GSP_HOME",
    type=click.Path(path_type=Path),
    help="An empty folder, or one that is not there yet; or set GSP_HOME.",
)
@sealing_options
@json_option
def restore(*, file: Path, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Put a backup back, whole or not at all. Only when the node it was made of is gone for good: two must never run.

    The node that starts there goes on in a new epoch of its journal, makes new sealing keys, and vouches for the directory again when
    enough other nodes agree with its own.
    """
    manifest = backups.restore(file, home, passphrase(passphrase_file, passphrase_fd, words=OF_BACKUP), now=world().now())
    lines = [
        f"{home} is as it was on {clock(manifest.taken)}. The node it was made of must never run again.",
        "Messages that came or went since are not here: tell the other Parties' administrators.",
        f"Start it: gsp {'party' if manifest.kind is HomeKind.PARTY else 'secretariat'} run --home {home}",
    ]
    show({"home": str(home), **manifest_document(manifest)}, lines, as_json=as_json)
    return ExitCode.FINE
