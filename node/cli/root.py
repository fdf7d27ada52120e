"""`gsp root`: the treaty root, on a machine that never sees a network and signs one certificate in years."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import click

from federation.trust.fingerprint import digits_of
from node.ceremony import new_root, sign_request
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, json_option
from node.cli.output import columns, show
from node.cli.serving import cost_option, home_options, passphrase, world
from node.formats.ceremony import RootRequestFile, parse_file, read_bytes
from node.keystore import Cost
from node.use_cases.founders import digits_of_file


@click.group
def root() -> None:
    """Keep the treaty root, offline, and sign the Secretariat's issuing CA with it."""


@root.command
@home_options
@cost_option
@json_option
def new(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, keystore_cost: str, as_json: bool) -> int:
    """Make the treaty root, or show the one that lies there."""
    secret = passphrase(passphrase_file, passphrase_fd, new=not (home / "keystore").exists())
    certificate = new_root(home, secret, world=world(), cost=Cost[keystore_cost.upper()])
    digits = digits_of(sha256(certificate).digest())
    lines = [
        f"The treaty root lies in {home}. Keep it in a safe; it is in no list of anchors, and signs once in years.",
        "Its fingerprint, for the printed sheet:",
        "",
        f"  {digits}",
    ]
    show({"digits": digits, "certificate": str(home / "root.pem")}, lines, as_json=as_json)
    return ExitCode.FINE


@root.command("show")
@click.argument("file", type=FILE)
@json_option
def show_command(*, file: Path, as_json: bool) -> int:
    """Say what the root is asked to sign, with digits to compare."""
    raw = read_bytes(file)
    request = parse_file(raw, RootRequestFile, name=file.name)
    digits = digits_of_file(raw)
    lines = [
        f"A CA that admits Parties to {request.domain}, for three years at most.",
        "",
        *columns([("  domain", request.domain), ("  SHA-256", sha256(raw).hexdigest())]),
        "",
        "Digits to compare, read aloud by another way than the file:",
        "",
        f"  {digits}",
    ]
    show({"domain": request.domain, "digits": digits, "sha256": sha256(raw).hexdigest()}, lines, as_json=as_json)
    return ExitCode.FINE


@root.command
@click.argument("file", type=FILE)
@home_options
@click.option("--fingerprint", "claimed", required=True, help="The digits of the request, as the Secretariat reads them aloud.")
@json_option
def sign(*, file: Path, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, claimed: str, as_json: bool) -> int:
    """Sign the Secretariat's issuing CA, after comparing its request."""
    signed = sign_request(home, passphrase(passphrase_file, passphrase_fd), file, claimed, world=world())
    lines = [f"Signed: {signed}", "Give it to the Secretariat; it is not secret."]
    show({"file": str(signed)}, lines, as_json=as_json)
    return ExitCode.FINE
