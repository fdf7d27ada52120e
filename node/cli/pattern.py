"""`gsp pattern`: a Party's own code patterns, from sample codes to the directory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from federation.errors import InvalidConfiguration, InvalidInput
from federation.identity import PartyId
from federation.uim.codes import Label
from federation.uim.draft import draft_pattern
from federation.uim.library import Library
from federation.uim.overlap import Overlap, overlaps
from federation.uim.pattern import PatternSet
from federation.uim.scan import read_scan
from federation.uim.survey import Explained, Survey, explain, survey
from node import publishing
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, PartyParameter, json_option
from node.cli.output import Document, columns, show
from node.cli.pattern_sources import SOURCE, against_option, read_codes, read_sources
from node.cli.session import Surroundings, pass_surroundings
from node.cli.words import near_miss_words
from node.formats.pattern_text import pattern_file
from node.formats.patterns import read_own_set
from node.ground import read_settings

HOME = click.Path(file_okay=False, path_type=Path)
home_option = click.option("--home", required=True, metavar="DIR", envvar="GSP_HOME", type=HOME, help="The folder of the node.")


@click.group
def pattern() -> None:
    """Draft, check, explain, publish and withdraw this Party's code patterns."""


@pattern.command
@click.argument("party", type=PartyParameter())
@click.argument("pattern_id", metavar="ID")
@click.option("--codes", required=True, type=FILE, help="A file with one sample code a line, all of one kind of marking.")
@click.option("--invented", is_flag=True, help="The codes are made up, for a demonstration or a test.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the draft; standard output without it.",
)
@json_option
@pass_surroundings
def new(
    surroundings: Surroundings,
    *,
    party: PartyId,
    pattern_id: str,
    codes: Path,
    invented: bool,
    output: Path | None,
    as_json: bool,
) -> int:
    """Draft a pattern from a file of sample codes. Read it, correct it, then `gsp pattern check` it."""
    label = Label.INVENTED if invented else Label.PUBLISHED
    samples = read_codes(codes)
    drafted = draft_pattern(party, pattern_id, samples, label=label, now=surroundings.clock.now())
    text = pattern_file(
        PatternSet(party=party, version=1, patterns=(drafted,)),
        remarks=["A draft. Correct the title, the source, the sets of characters and what names the issuer."],
    )
    if output is not None:
        _write_new(output, text)
    document = {"party": party, "pattern_id": pattern_id, "codes": len(samples), "pattern_file": text}
    show(document, text.splitlines() if output is None else [f"{output} has a draft of {pattern_id}"], as_json=as_json)
    return ExitCode.FINE


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InvalidConfiguration(f"{path} cannot be written: {error.strerror}", hint="name a new file") from error


@pattern.command
@click.argument("file", type=FILE)
@against_option
@click.option("--codes", type=FILE, help="A file with one real code a line: what does the set make of them?")
@json_option
def check(*, file: Path, against: tuple[Path, ...], codes: Path | None, as_json: bool) -> int:
    """Check a set: its examples, overlaps with other Parties' patterns, and what it makes of real codes."""
    own = read_own_set(file)
    found = list(overlaps(own, [one for one in read_sources(against) if one.party != own.party]))
    result = survey(own, read_codes(codes)) if codes is not None else None
    document = {
        "party": own.party,
        "version": own.version,
        "patterns": len(own.patterns),
        "overlaps": [overlap_document(one) for one in found],
        "survey": _survey_document(result) if result is not None else None,
    }
    show(document, [*_overlap_lines(own, found), *(_survey_lines(result) if result is not None else ())], as_json=as_json)
    is_fine = not any(one.sure for one in found) and (result is None or result.covered == result.codes)
    return ExitCode.FINE if is_fine else ExitCode.WARNING


def overlap_document(one: Overlap) -> Document:
    """One overlap for programs."""
    return {
        "party": one.party,
        "pattern_id": one.pattern_id,
        "other_party": one.other_party,
        "other_id": one.other_id,
        "witness": one.witness or None,
        "sure": one.sure,
    }


def overlap_words(one: Overlap) -> str:
    """One overlap for people."""
    shown = one.witness or "no code was found that fits both, but their characters agree"
    grave = "both say that only they issue it" if one.sure else "the one that names its issuer goes first"
    return f"{one.party} {one.pattern_id} and {one.other_party} {one.other_id}: {shown} ({grave})"


def _overlap_lines(own: PatternSet, found: Sequence[Overlap]) -> Iterator[str]:
    yield f"{own.party}, version {own.version}: {len(own.patterns)} patterns, and every example proves them"
    if not found:
        yield "No overlap with another pattern."
    for one in found:
        yield f"overlap: {overlap_words(one)}"


def _survey_lines(result: Survey) -> Iterator[str]:
    yield f"{result.covered} of {result.codes} codes are covered"
    yield from columns([(f"  {name}", str(count)) for name, count in result.fitting])
    for missing in result.uncovered:
        why = missing.problem or "; ".join(near_miss_words(miss) for miss in missing.misses) or "no pattern is near"
        yield f"not covered: line {missing.place}, {missing.raw}: {why}"
    for double in result.ambiguous:
        yield f"ambiguous: line {double.place}, {double.raw}: {', '.join(double.pattern_ids)} would store different keys"
    for dead in result.dead:
        yield f"dead: {dead.pattern_id}{f', segment {dead.segment}' if dead.segment else ''}: {dead.words}"


def _survey_document(result: Survey) -> dict[str, Any]:
    return {
        "codes": result.codes,
        "covered": result.covered,
        "fitting": dict(result.fitting),
        "uncovered": [
            {
                "line": one.place,
                "scan": one.raw,
                "problem": one.problem or None,
                "near": [near_miss_words(miss) for miss in one.misses],
            }
            for one in result.uncovered
        ],
        "ambiguous": [{"line": one.place, "scan": one.raw, "pattern_ids": list(one.pattern_ids)} for one in result.ambiguous],
        "dead": [{"pattern_id": one.pattern_id, "segment": one.segment or None, "words": one.words} for one in result.dead],
    }


@pattern.command("explain")
@click.argument("code")
@click.option(
    "--library", multiple=True, type=SOURCE, help="A folder or file of pattern sets; without it those that come with the program."
)
@json_option
def explain_command(*, code: str, library: tuple[Path, ...], as_json: bool) -> int:
    """Show how patterns read a code, segment by segment, and where those that almost fit stop to fit."""
    scan = read_scan(code)
    sets = read_sources(library)
    readings = list(explain((one for own in sets for one in own.patterns), scan))
    misses = () if readings else Library.build(sets).near_misses(scan)
    document = {
        "scan": scan.raw,
        "keys": [{"text": key.text, "form": key.form} for key in scan.keys],
        "readings": [_reading(one) for one in readings],
        "near": [near_miss_words(miss) for miss in misses],
    }
    lines = [f"{key.form:<12} {key.text}" for key in scan.keys]
    for one in readings:
        lines += [
            "",
            f"{one.pattern.owner} {one.pattern.pattern_id}: {one.pattern.title}",
            *columns([(f"  {name}", piece, meaning) for name, piece, meaning in one.pieces]),
        ]
    if not readings:
        lines += ["", "No pattern fits.", *(f"near: {near_miss_words(miss)}" for miss in misses)]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE if readings else ExitCode.NOT_FOUND


def _reading(one: Explained) -> dict[str, Any]:
    return {
        "party": one.pattern.owner,
        "pattern_id": one.pattern.pattern_id,
        "key": {"text": one.key.text, "form": one.key.form},
        "pieces": [{"segment": name, "text": piece, "meaning": meaning or None} for name, piece, meaning in one.pieces],
    }


@pattern.command
@click.argument("file", type=FILE)
@home_option
@json_option
def publish(*, file: Path, home: Path, as_json: bool) -> int:
    """Publish a set as this Party's: the running node enters it into the directory, or else the node when it starts."""
    published = publishing.publish(home, read_settings(home), read_own_set(file))
    return _show_published(published, as_json=as_json)


@pattern.command
@click.argument("pattern_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Withdraw all: the set stays, and is empty.")
@home_option
@json_option
def withdraw(*, pattern_ids: tuple[str, ...], everything: bool, home: Path, as_json: bool) -> int:
    """Publish the set again without some of its patterns."""
    if everything == bool(pattern_ids):
        raise InvalidInput("name the patterns to withdraw, or say --all", hint="`gsp library status` lists what is published")
    left = publishing.withdraw(home, read_settings(home), pattern_ids, everything=everything)
    return _show_published(left, as_json=as_json)


def _show_published(published: PatternSet, *, as_json: bool) -> int:
    document = {"party": published.party, "version": published.version, "patterns": len(published.patterns)}
    lines = [
        f"version {published.version} of {published.party} has {len(published.patterns)} patterns",
        "The node enters it into the directory within seconds if it runs, and when it starts if it does not.",
    ]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE
