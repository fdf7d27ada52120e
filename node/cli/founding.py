"""`gsp secretariat prepare`, `genesis`, `found` and `sheet`: the Secretariat's part of the founding ceremony."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.errors import InvalidConfiguration, InvalidInput
from federation.identity import PartyId
from federation.wire.directory import decode_signed_entry
from node import secretariat as composition
from node.ceremony import draft, key_digits, prepare, read_plan
from node.cli.entry_words import entry_document, entry_lines
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, PartyParameter, json_option
from node.cli.output import columns, show
from node.cli.serving import cost_option, free_address, home_option, home_options, passphrase, world
from node.cli.sheet import sheet_document, sheet_html, sheet_lines
from node.formats.ceremony import FounderFile, PlanFile, read_bytes, read_entry, read_file
from node.keystore import Cost, replace_file
from node.use_cases.founding import read_genesis_body


@click.command("prepare")
@home_options
@click.option("--domain", required=True, help="The treaty's DNS domain; all certificates are named under it.")
@click.option("--founder", "founders", required=True, multiple=True, type=FILE, help="A founder's founder.json; once for each.")
@click.option("--threshold", type=click.IntRange(1, 16), default=2, show_default=True, help="How many of them sign together.")
@click.option(
    "--first-witness", "witnesses", multiple=True, type=PartyParameter(), help="A Party whose node cosigns from the start."
)
@click.option(
    "--confirmations",
    type=click.IntRange(0, 8),
    default=2,
    show_default=True,
    help="How many other Parties confirm a newcomer before it is asked without a word.",
)
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Where Parties' nodes connect; port 0 takes a free one.")
@click.option("--join", "join_listen", default="127.0.0.1:0", show_default=True, help="Where joining Parties connect.")
@click.option("--public", help="host:port under which other machines reach --listen.")
@click.option("--public-join", help="host:port under which other machines reach --join.")
@cost_option
@json_option
def prepare_command(
    *,
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    domain: str,
    founders: tuple[Path, ...],
    threshold: int,
    witnesses: tuple[PartyId, ...],
    confirmations: int,
    listen: str,
    join_listen: str,
    public: str | None,
    public_join: str | None,
    keystore_cost: str,
    as_json: bool,
) -> int:
    """Begin a treaty: make the Secretariat's own keys and the request that the treaty root signs."""
    secret = passphrase(passphrase_file, passphrase_fd, new=not (home / "keystore").exists())
    plan = PlanFile(
        domain=domain,
        founders=tuple(sorted(read_file(path, FounderFile).public_key for path in founders)),
        threshold=threshold,
        first_witnesses=tuple(sorted(witnesses)),
        confirmations=confirmations,
        listen=_address(home, listen, "listen"),
        join=_address(home, join_listen, "join"),
        public=public,
        public_join=public_join,
    )
    prepared = prepare(home, plan, secret, world=world(), cost=Cost[keystore_cost.upper()])
    digits = [key_digits(bytes.fromhex(key)) for key in plan.founders]
    lines = [
        "The founders' keys, to be compared with what each founder reads aloud:",
        *(f"  {one}" for one in digits),
        f"Next, at the root: gsp root sign {prepared.request.name} --fingerprint '{prepared.digits}'",
        f"  with the file {prepared.request}",
    ]
    document = {"request": str(prepared.request), "digits": prepared.digits, "founders": digits, "home": str(home)}
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


def _address(home: Path, wanted: str, name: str) -> str:
    """A free port is chosen once: the same command again means the same plan."""
    if wanted.endswith(":0") and (home / "ceremony" / "plan.json").exists():
        return str(getattr(read_plan(home), name))
    return free_address(wanted)


@click.command("genesis")
@click.argument("file", type=FILE)
@home_options
@json_option
def genesis_command(*, file: Path, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Take what the root signed, and lay out the directory's first entry for the founders."""
    path = draft(home, passphrase(passphrase_file, passphrase_fd), file, world=world())
    entry = read_entry(path)
    lines = [*entry_lines(entry), "", f"Each founder looks at {path} and signs it: `gsp founder sign {path.name}`"]
    show({**entry_document(entry), "file": str(path)}, lines, as_json=as_json)
    return ExitCode.FINE


@click.command("found")
@click.argument("signatures", nargs=-1, required=True, type=FILE)
@home_options
@json_option
def found_command(
    *, signatures: tuple[Path, ...], home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool
) -> int:
    """Begin the directory, once every founder has signed."""
    secret = passphrase(passphrase_file, passphrase_fd)
    genesis = asyncio.run(composition.found_treaty(home, secret, signatures, world=world()))
    log_key = read_genesis_body(decode_signed_entry(read_bytes(home / "genesis.leaf")).body).log_key.hex()
    lines = [
        *columns([("genesis digest", genesis), ("log key", log_key)]),
        "Publish both: every Party and every court compares with them.",
        f"Print the sheet and have it signed by hand: gsp secretariat sheet --home {home} -o sheet.html",
        f"Next: gsp secretariat run --home {home}",
    ]
    show({"genesis": genesis, "log_key": log_key, "home": str(home)}, lines, as_json=as_json)
    return ExitCode.FINE


@click.command("sheet")
@home_option
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the page as HTML that prints on one sheet."
)
@json_option
def sheet_command(*, home: Path, output: Path | None, as_json: bool) -> int:
    """Print the sheet that is signed by hand and kept on paper: what the directory is known by, and where each key lies."""
    path = home / "genesis.leaf"
    if not path.exists():
        raise InvalidInput(f"no treaty is founded in {home}", hint="finish the ceremony: `gsp secretariat found`")
    leaf = read_bytes(path)
    genesis = read_genesis_body(decode_signed_entry(leaf).body)
    if output is not None:
        try:
            replace_file(output.absolute(), sheet_html(leaf, genesis).encode())
        except OSError as error:
            raise InvalidConfiguration(f"{output} cannot be written: {error.strerror}") from error
    document = {**sheet_document(leaf, genesis), "file": str(output) if output is not None else None}
    show(document, sheet_lines(leaf, genesis), as_json=as_json)
    return ExitCode.FINE
