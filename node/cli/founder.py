"""`gsp founder`: a person of the treaty body, with a key of the own, on a machine of the own that needs no network."""

from __future__ import annotations

from pathlib import Path

import click

from federation.errors import InvalidInput
from node import limits
from node.ceremony import cosign_file, founder_signer, key_digits, new_founder, sign_file
from node.cli.entry_words import entry_document, entry_lines
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, json_option
from node.cli.output import show
from node.cli.serving import cost_option, home_options, passphrase, world
from node.formats.ceremony import read_entry
from node.keystore import Cost


@click.group
def founder() -> None:
    """Keep a founder's key, look at what is to be signed, and sign it. No network is needed."""


@founder.command
@home_options
@cost_option
@json_option
def new(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, keystore_cost: str, as_json: bool) -> int:
    """Make a founder's key, or show the public half of the one that lies there."""
    secret = passphrase(passphrase_file, passphrase_fd, new=not (home / "keystore").exists())
    made = new_founder(home, secret, world=world(), cost=Cost[keystore_cost.upper()])
    digits = key_digits(made.public_key)
    lines = [
        f"The founder's key lies in {home / 'keystore'}. Keep that folder on a stick in a safe, and the passphrase elsewhere.",
        f"Give {made.file} to the Secretariat, and read it these digits, which are the key's fingerprint:",
        "",
        f"  {digits}",
    ]
    show({"public_key": made.public_key.hex(), "digits": digits, "file": str(made.file)}, lines, as_json=as_json)
    return ExitCode.FINE


@founder.command("show")
@click.argument("file", type=FILE)
@json_option
def show_command(*, file: Path, as_json: bool) -> int:
    """Say in plain words what would be signed, with digits to compare."""
    entry = read_entry(file)
    show(entry_document(entry), entry_lines(entry), as_json=as_json)
    return ExitCode.FINE


@founder.command
@click.argument("files", nargs=-1, required=True, type=FILE)
@home_options
@click.option(
    "--fingerprint", "claimed", required=True, multiple=True, help="The digits as read aloud: twelve groups of five; once a file."
)
@json_option
def sign(
    *,
    files: tuple[Path, ...],
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    claimed: tuple[str, ...],
    as_json: bool,
) -> int:
    """Sign entries whose digits were read aloud. Each signature is a file beside the entry's."""
    if len(files) != len(claimed) or len(files) > limits.PENDING_ENTRIES_MAX:
        raise InvalidInput("each file needs its digits, in the same order", hint="give --fingerprint once for each file")
    entries = [read_entry(path) for path in files]
    signer = founder_signer(home, passphrase(passphrase_file, passphrase_fd))
    signatures = [sign_file(path, digits, signer) for path, digits in zip(files, claimed, strict=True)]
    lines = [line for entry in entries for line in (*entry_lines(entry), "")]
    lines += [f"Signed: {path}" for path in signatures] + ["Give it to the Secretariat; it is not secret."]
    document = {"entries": [entry_document(entry) for entry in entries], "signatures": [str(path) for path in signatures]}
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


@founder.command
@click.argument("file", type=FILE)
@home_options
@click.option("--root", "claimed", required=True, metavar="TEXT", help="Root of the checkpoint, as three Parties read it aloud.")
@json_option
def cosign(
    *, file: Path, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, claimed: str, as_json: bool
) -> int:
    """Cosign a checkpoint in place of witnesses that are lost for good: the way out, and nothing else.

    Its root is what several Parties read from their own screens by telephone, not what stands in the file alone.
    """
    signer = founder_signer(home, passphrase(passphrase_file, passphrase_fd))
    cosigned = cosign_file(file, claimed, signer, world=world())
    lines = [
        f"Cosigned: the directory with {cosigned.size} entries, in {cosigned.file}.",
        "Give it to the Secretariat: `gsp secretariat log FILE`",
    ]
    document = {"size": cosigned.size, "root": cosigned.root, "file": str(cosigned.file)}
    show(document, lines, as_json=as_json)
    return ExitCode.FINE
