"""`gsp backup`: one encrypted file of a node's home, made while the node runs, and checked anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from federation.errors import InvalidInput
from node import backup as backups
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, json_option
from node.cli.output import Document, clock, rfc3339, show
from node.cli.serving import passphrase, world
from node.formats.backups import Manifest
from node.keystore import Cost

CommandType = TypeVar("CommandType", bound=Callable[..., Any])

OF_BACKUP = "Passphrase of the backup"


def sealing_options(command: CommandType) -> CommandType:
    """Where the passphrase of a backup comes from."""
    file = click.option(
        "--passphrase-file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A file with the backup's passphrase. Without it the passphrase is asked for.",
    )
    descriptor = click.option(
        "--passphrase-fd", metavar="N", type=click.IntRange(min=0), help="An open file descriptor with the passphrase."
    )
    return file(descriptor(command))


@click.group(invoke_without_command=True)
@click.option(
    "--home",
    metavar="DIR",
    envvar="GSP_HOME",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of a node's files, of a Party or of the Secretariat; or set GSP_HOME.",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="The new file.")
@sealing_options
@click.option(
    "--cost",
    type=click.Choice([cost.name.lower() for cost in Cost]),
    default=Cost.MODERATE.name.lower(),
    show_default=True,
    help="What one guess of the passphrase costs; minimal is for demonstrations.",
)
@json_option
@click.pass_context
def backup(
    ctx: click.Context,
    *,
    home: Path | None,
    output: Path | None,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    cost: str,
    as_json: bool,
) -> int | None:
    """Back a node's home up into one encrypted file; the node may be running. `gsp restore` puts it back.

    Not in it: keys that are to be forgotten on time (prekeys, reply keys), officers' profiles, and what was handed over.
    """
    if ctx.invoked_subcommand is not None:
        return None
    if home is None or output is None:
        raise InvalidInput("say what is backed up, and where to", hint="gsp backup --home DIR -o FILE")
    secret = passphrase(passphrase_file, passphrase_fd, new=True, words=OF_BACKUP)
    manifest = backups.take(home, output, secret, world=world(), cost=Cost[cost.upper()])
    document = {"file": str(output), **manifest_document(manifest)}
    lines = [f"{output}: {_files(manifest)}, {output.stat().st_size} bytes; only its passphrase opens it"]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


@backup.command
@click.argument("file", type=FILE)
@sealing_options
@json_option
def verify(*, file: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Read a backup to its end and say what is in it; nothing is written."""
    manifest = backups.verify(file, passphrase(passphrase_file, passphrase_fd, words=OF_BACKUP))
    lines = [
        f"The backup is whole: {_files(manifest)} of a {manifest.kind}'s home, made on {clock(manifest.taken)}",
        *(f"  {one.name}  {one.size} bytes" for one in manifest.files),
    ]
    show({"file": str(file), **manifest_document(manifest)}, lines, as_json=as_json)
    return ExitCode.FINE


def _files(manifest: Manifest) -> str:
    return f"{len(manifest.files)} files"


def manifest_document(manifest: Manifest) -> Document:
    """What is in a backup, for programs."""
    return {
        "kind": str(manifest.kind),
        "program": manifest.program,
        "taken": rfc3339(manifest.taken),
        "files": [{"name": one.name, "bytes": one.size} for one in manifest.files],
    }
