"""`gsp directory`: what the directory says, read and verified from its first entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from federation import limits
from federation.errors import Conflict, InvalidInput, NotFound, Oversized
from federation.identity import PartyId
from federation.trust.entries import AuthorityKind, EntryKind
from federation.trust.log_copy import LogCopy
from federation.wire.log_copy import encode_log_copy
from node.cli.directory_documents import (
    entry_documents,
    head_document,
    history_document,
    invited_document,
    listed_document,
    party_document,
    witness_document,
)
from node.cli.directory_print import list_lines, list_page
from node.cli.directory_source import HOME, Source, read_evidence, read_source, source_options
from node.cli.directory_words import (
    head_lines,
    history_lines,
    invited_words,
    log_lines,
    party_lines,
    show_lines,
    verdict_lines,
    witness_rows,
)
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, Hexadecimal, PartyParameter, Word, json_option
from node.cli.output import printable, show
from node.cli.session import Surroundings, pass_surroundings
from node.use_cases.directory_view import authorities as list_authorities
from node.use_cases.directory_view import entries_of, party_views, witness_lines
from node.use_cases.verified_log import root_at, verify_copy

OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.group
def directory() -> None:
    """Show who the Parties are, their authorities, every entry of the log, and who witnesses it; verify it, or copy it."""


@directory.command("show")
@click.argument("party", type=PartyParameter(), required=False)
@click.option("--history", is_flag=True, help="Of one Party: former contact points and administrators, and every entry about it.")
@source_options
@pass_surroundings
def show_command(
    surroundings: Surroundings,
    *,
    party: PartyId | None,
    history: bool,
    profile_folder: Path | None,
    home: Path | None,
    as_json: bool,
) -> int:
    """Show all Parties, one line each, or one Party with everything that the directory says of it."""
    if history and party is None:
        raise InvalidInput("--history is about one Party", hint="name it: `gsp directory show qm --history`")
    source, now = read_source(surroundings, profile_folder, home), surroundings.clock.now()
    parties = party_views(source.view, now=now)
    if party is not None:
        lines, document = _one_party(source, party, history=history, now=now)
        show(document, lines, as_json=as_json)
        return ExitCode.FINE
    document = {
        **head_document(source.view),
        "parties": [party_document(one) for one in parties],
        "invited": [invited_document(one, now=now) for one in source.invited],
    }
    show(document, show_lines(source.view, parties, source.invited, now=now), as_json=as_json)
    return ExitCode.FINE


def _one_party(source: Source, party: PartyId, *, history: bool, now: float) -> tuple[Iterator[str], dict[str, object]]:
    view = source.view
    found = next((one for one in party_views(view, now=now) if one.party == party), None)
    if found is None:
        waiting = next((one for one in source.invited if one.party == party), None)
        if waiting is None:
            raise NotFound(f"the directory lists no Party {party}", hint="`gsp directory show` lists all")
        document = {**head_document(view), **invited_document(waiting, now=now)}
        return iter([f"Party      {party}", f"Status     {invited_words(waiting, now=now)}"]), document
    document = {**head_document(view), **party_document(found)}
    if not history:
        return _lines(head_lines(view), iter([""]), party_lines(found, view.roster)), document
    entries = entry_documents(entries_of(view, party=party))
    document |= {"history": history_document(view, found), "entries": entries}
    return _lines(head_lines(view), iter([""]), party_lines(found, view.roster), history_lines(view, found)), document


def _lines(*parts: Iterator[str]) -> Iterator[str]:
    for part in parts:
        yield from part


@directory.command
@click.option("--kind", type=Word(AuthorityKind), help="Those of one kind.")
@click.option(
    "-o", "--output", type=OUTPUT, help="Write the list to a file for printing: a page if its name ends in .html, else text."
)
@source_options
@pass_surroundings
def authorities(
    surroundings: Surroundings,
    *,
    kind: AuthorityKind | None,
    output: Path | None,
    profile_folder: Path | None,
    home: Path | None,
    as_json: bool,
) -> int:
    """List the competent authorities of all Parties (Article 8.8), with what it takes to check a print of the list."""
    view, now = read_source(surroundings, profile_folder, home).view, surroundings.clock.now()
    listed = list_authorities(view, kind)
    document = {**head_document(view), "authorities": [listed_document(one) for one in listed]}
    if output is None:
        show(document, list_lines(view, listed, now=now), as_json=as_json)
        return ExitCode.FINE
    if output.suffix == ".html":
        content = list_page(view, listed, now=now)
    else:
        content = "".join(f"{printable(line).rstrip()}\n" for line in list_lines(view, listed, now=now))
    _write(output, content.encode())
    show({**document, "file": str(output)}, [f"{output}: {len(listed)} authorities"], as_json=as_json)
    return ExitCode.FINE


@directory.command
@click.option("--from", "start", type=click.IntRange(0), default=0, show_default=True, help="The first entry to show.")
@click.option("--party", type=PartyParameter(), help="Entries about one Party.")
@click.option("--kind", type=Word(EntryKind), help="Entries of one kind.")
@source_options
@pass_surroundings
def log(
    surroundings: Surroundings,
    *,
    start: int,
    party: PartyId | None,
    kind: EntryKind | None,
    profile_folder: Path | None,
    home: Path | None,
    as_json: bool,
) -> int:
    """Show every entry in words: number, kind, time, what it says, who signed it, and whether it was accepted."""
    view = read_source(surroundings, profile_folder, home).view
    found = list(entries_of(view, start=start, party=party, kind=kind))
    document = {**head_document(view), "entries": entry_documents(found)}
    show(document, [*head_lines(view), "", *log_lines(found)], as_json=as_json)
    return ExitCode.FINE


@directory.command
@source_options
@pass_surroundings
def witness(surroundings: Surroundings, *, profile_folder: Path | None, home: Path | None, as_json: bool) -> int:
    """Show who is on witness duty, since when each counts, and who stands under the newest checkpoint."""
    view = read_source(surroundings, profile_folder, home).view
    found = witness_lines(view)
    document = {**head_document(view), "witnesses": [witness_document(one) for one in found]}
    show(document, witness_rows(view, found), as_json=as_json)
    return ExitCode.FINE


@directory.command
@click.argument("file", type=FILE, required=False)
@click.option("--home", metavar="DIR", type=HOME, help="A node's folder instead of a file.")
@click.option("--genesis", required=True, type=Hexadecimal(), help="The digest of the directory's first entry.")
@click.option("--log-key", type=Hexadecimal(), help="The key that has to have signed the checkpoint.")
@click.option("--size", type=click.IntRange(1), help="Show the root after so many entries too, to check an older print.")
@json_option
def verify(
    *, file: Path | None, home: Path | None, genesis: bytes, log_key: bytes | None, size: int | None, as_json: bool
) -> int:
    """Verify a whole log from nothing: every hash, every signature, every author rule. Nothing in it is believed.

    Digest and key come from you, never from the log: take them from the treaty's publications. Ends with 1 when the log holds and
    entries in it break a rule, or too few witnesses stand under its checkpoint.
    """
    view = verify_copy(read_evidence(file, home), genesis_digest=genesis, log_key=log_key)
    earlier = root_at(view, size).hex() if size is not None else None
    document = {
        **head_document(view),
        "holds": True,
        "alarms": entry_documents(view.refused),
        "earlier": {"size": size, "root": earlier} if earlier is not None else None,
    }
    lines = [*verdict_lines(view), *([f"At {size:<6} {earlier}"] if earlier is not None else [])]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE if view.quorum.reached and not view.refused else ExitCode.WARNING


@directory.command
@click.option("-o", "--output", required=True, type=OUTPUT, help="The file to write.")
@source_options
@pass_surroundings
def export(surroundings: Surroundings, *, output: Path, profile_folder: Path | None, home: Path | None, as_json: bool) -> int:
    """Write the whole log into one file, for `gsp directory verify` on any machine."""
    view = read_source(surroundings, profile_folder, home).view
    raw = encode_log_copy(LogCopy(checkpoint=view.replica.note, leaves=view.leaves))
    if len(raw) > limits.DIRECTORY_BYTES_MAX:
        raise Oversized("this log is longer than a file of it may be")
    _write(output, raw)
    document = {**head_document(view), "file": str(output), "bytes": len(raw)}
    show(document, [f"{output}: {len(view.entries)} entries, {len(raw)} bytes"], as_json=as_json)
    return ExitCode.FINE


def _write(path: Path, content: bytes) -> None:
    """What was printed or handed out once is not written over."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise Conflict(f"{path} is there already", hint="name another file") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error
