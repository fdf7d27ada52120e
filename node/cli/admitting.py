"""`gsp secretariat admit` and `log`: founders' signatures on their way to the running node."""

from __future__ import annotations

import time
from pathlib import Path

import click

from federation.boundary.directory import sign_body
from federation.errors import Forbidden, InvalidInput, NotFound, Unauthentic
from federation.identity import PartyId, party_id
from federation.trust import note
from federation.trust.entries import Admit, EntryKind, Signature
from federation.trust.fingerprint import fingerprint, same_fingerprint
from federation.trust.keys import SEED_BYTES, SoftwareSigner
from federation.wire.directory import decode_entry_body
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, PartyParameter, json_option
from node.cli.output import show
from node.cli.serving import home_option
from node.formats.ceremony import EntrySignature, WaitingEntry, read_bytes, read_entry, read_signature
from node.store.tray import Approval, Cosignature, Request, Signed, Tray

wait_option = click.option(
    "--wait", "wait_s", type=click.FloatRange(0, 600), default=10.0, show_default=True, help="Seconds to wait for the node."
)


@click.command("admit")
@click.argument("party", type=PartyParameter())
@home_option
@click.option("--signature", "signatures", multiple=True, type=FILE, help="A founder's signature file; once for each.")
@click.option("--fingerprint", "claimed", help="With --founder-key: as read aloud by the Party, twelve groups of five digits.")
@click.option(
    "--founder-key", "keys", multiple=True, type=FILE, help="For trying out: a key that `init` made; sign with it here and now."
)
@wait_option
@json_option
def admit_command(
    *,
    party: PartyId,
    home: Path,
    signatures: tuple[Path, ...],
    claimed: str | None,
    keys: tuple[Path, ...],
    wait_s: float,
    as_json: bool,
) -> int:
    """Hand founders' signatures of a Party's admission to the running node."""
    if not signatures and not keys:
        raise InvalidInput(
            "no signature was given", hint="founders make one with `gsp founder sign`; hand it over by --signature"
        )
    body = _pending_body(home / "pending" / f"{party}.admit", wait_s)
    seen = _fingerprint(body, party)
    if keys and not same_fingerprint(seen, claimed or ""):
        raise Unauthentic(
            f"the fingerprint of the entry that waits here is {seen}",
            hint="it is not the one that was read aloud: do not sign, and ask the Party again by telephone",
        )
    collected = [_own(read_signature(path), body, path.name) for path in signatures]
    collected += [sign_body(EntryKind.ADMIT, body, SoftwareSigner(_seed(path))) for path in keys]
    tray = Tray(home / "tray")
    for signature in collected:
        tray.put(Approval(party=party, signature=signature))
    lines = [f"{len(collected)} founders' signatures for {party} lie ready; the running node takes them up."]
    show({"party": party, "fingerprint": seen, "signatures": len(collected)}, lines, as_json=as_json)
    return ExitCode.FINE


def _own(signed: EntrySignature, body: bytes, name: str) -> Signature:
    if (signed.kind, signed.entry) != (EntryKind.ADMIT, WaitingEntry(kind=EntryKind.ADMIT, body=body, value=_admit(body)).digest):
        raise InvalidInput(f"{name} is the signature of another entry", hint="the founder signs the file that waits in `pending`")
    return signed.signature


def _pending_body(path: Path, wait_s: float) -> bytes:
    """The entry that waits for founders; the node lays it out as soon as the Party has enrolled."""
    ends = time.monotonic() + wait_s
    while not path.exists() and time.monotonic() < ends:
        time.sleep(0.1)
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(
            "no admission of that Party waits here", hint="the Party joins first, and the Secretariat's node has to run"
        ) from error


def _fingerprint(body: bytes, party: PartyId) -> str:
    """Of the very bytes that are signed, so that no key in them can be another one than the Party's."""
    if _admit(body).party != party:
        raise InvalidInput("the file that waits holds no admission of that Party")
    return fingerprint(body)


def _admit(body: bytes) -> Admit:
    value = decode_entry_body(EntryKind.ADMIT, body)
    if not isinstance(value, Admit):
        raise InvalidInput("the file that waits holds no admission")
    return value


def _seed(path: Path) -> bytes:
    try:
        seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} holds no founder's key") from error
    if len(seed) != SEED_BYTES:
        raise InvalidInput(f"{path} holds no founder's key")
    return seed


@click.command("log")
@click.argument("files", nargs=-1, required=True, type=FILE)
@home_option
@wait_option
@json_option
def log_command(*, files: tuple[Path, ...], home: Path, wait_s: float, as_json: bool) -> int:
    """Hand signatures of any entries that wait, and founders' cosignatures, to the running node, and say what became of them."""
    tray = Tray(home / "tray")
    laid = [(path.name, tray.put(_request(home, path))) for path in files]
    ends = time.monotonic() + wait_s
    while any(request.exists() for _, request in laid) and time.monotonic() < ends:
        time.sleep(0.1)
    results = [_result(name, request) for name, request in laid]
    lines = [f"{one['file']}: {one['result']}" for one in results] + ["`gsp secretariat status` says what is still missing."]
    show({"signatures": results}, lines, as_json=as_json)
    return ExitCode.FINE


def _request(home: Path, path: Path) -> Request:
    if path.suffix == ".cosigned":
        return Cosignature(note=note.format_note(note.parse_note(read_bytes(path))))
    signed = read_signature(path)
    if signed.kind is not EntryKind.ADMIT:
        return Signed(kind=signed.kind, entry=signed.entry, signature=signed.signature)
    for waiting in sorted((home / "pending").glob("*.admit")):
        if read_entry(waiting).digest == signed.entry:
            return Approval(party=party_id(waiting.stem), signature=signed.signature)
    raise NotFound(f"{path.name} is for no admission that waits here", hint="it is in the directory already, or was begun anew")


def _result(name: str, request: Path) -> dict[str, str]:
    """What became of a request that was laid into the tray.

    Raises:
        Forbidden: the node refused it.
    """
    if request.exists():
        return {"file": name, "result": "lies ready; the node takes it up when it runs"}
    if request.with_suffix(".refused").exists() and request.with_suffix(".why").exists():
        why, _, hint = request.with_suffix(".why").read_text(encoding="utf-8").partition("\nhint: ")
        raise Forbidden(f"{name} was refused: {why}", hint=hint.strip())
    return {"file": name, "result": "taken up"}
