"""From a code to whose patterns it fits: our library beside three other ways of matching the same patterns, in one run.

The others get expressions that were made of the same segments, which is more than a Party could safely send, and have to give what
the library gives: the patterns that fit, check characters included. One is a loop over all compiled expressions of a form; one keeps
them by their fixed beginning, with one RE2 object for each candidate; one is a single RE2 set of all of a form. Passes take turns, so
that a busy machine slows all of them, and each counts with its best one.
"""

from __future__ import annotations

import gc
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any

import re2

from benchmarks.patterns import Crowd, crowd
from federation.identity import PartyId
from federation.uim.codes import KeyForm
from federation.uim.dates import date_expression
from federation.uim.expression import Fits, compile_fits
from federation.uim.index import split_start
from federation.uim.library import Library
from federation.uim.pattern import Pattern
from federation.uim.scan import Key, read_scan
from federation.uim.segments import CHARACTERS, CharacterSegment, CheckedSegment, DateSegment, Segment

Look = Callable[[Sequence[Key]], Sequence[Sized]]

NOW = 1_763_942_400
SCANS = (
    "LEAT1xK7mP2qRA1bZ9c19052014",
    "]d20104600439931256" + "21JgXJ5.T\x1d8005112000\x1d93Mdlr",
    "(01)01234567987651(235)51qIgY)<&Jp3*j7SDB(8008)19052014",
    "https://id.gs1.org/01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7SDB",
    "[)>\x1e06\x1d25SLEAT1xK7mP2qRA1bZ9c19052014\x1e\x04",
    "00000046198488X?io+qCABm8wAYa",
    "]C100173324022687654329",
    "https://stamp.example/v/QTABCDEFGHIJKL",
)


def resolving(parties: int = 200, patterns_each: int = 50) -> dict[str, Any]:
    """Nanoseconds a code, and what grows with what."""
    people = crowd(parties, patterns_each, keys=2_000)
    ours = Library.build(people.sets)
    kinds = {"hits": people.hits, "misses": people.misses, "hostile": people.hostile}
    looks = [("library", ours.claims, 2_000), *_others(people)]
    _agree(looks, people)
    bulk: dict[str, dict[str, float]] = {name: {} for name, _, _ in looks}
    for kind, keys in kinds.items():
        best = _in_turns([(look, keys[:share]) for _, look, share in looks])
        for (name, _, _), figure in zip(looks, best, strict=True):
            bulk[name][kind] = figure
    library = bulk.pop("library")
    return {
        "patterns": parties * patterns_each,
        "parties": parties,
        "library": library,
        "singly": {kind: _singly(lambda key: ours.claims((key,)), keys) for kind, keys in kinds.items()},
        "with_reasons": _in_turns([(lambda keys: [ours.resolve(_scan_of(key), now=NOW) for key in keys], people.hits)])[0],
        "others": bulk,
        "times_faster_than_best": {kind: min(one[kind] for one in bulk.values()) / library[kind] for kind in kinds},
        "growth": _growth(),
        "rebuild_ms": _rebuild(ours, people),
        "normalising_ns": _normalising(),
    }


def _agree(looks: Sequence[tuple[str, Look, int]], people: Crowd) -> None:
    """All ways give the same patterns; and everything that is made by need is made."""
    for keys in (people.hits, people.misses, people.hostile):
        (_, first, _), *others = looks
        expected = [len(found) for found in first(keys)]
        for name, look, share in others:
            got = [len(found) for found in look(keys[:share])]
            assert got == expected[:share], name


def _in_turns(looks: Sequence[tuple[Look, Sequence[Key]]], *, rounds: int = 15) -> list[float]:
    """The best of some passes of each, taken in turns: nanoseconds of the processor for a key."""
    times: list[list[float]] = [[] for _ in looks]
    gc.collect()
    for _ in range(rounds):
        for place, (look, keys) in enumerate(looks):
            start = time.process_time_ns()
            look(keys)
            times[place].append((time.process_time_ns() - start) / len(keys))
    return [min(one) for one in times]


def _singly(look: Callable[[Key], object], keys: Iterable[Key]) -> float:
    """Each key by itself, the clock read before and after: the median."""
    times = []
    for key in keys:
        start = time.perf_counter_ns()
        look(key)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times)


def _scan_of(key: Key) -> Any:
    return replace(_SCAN, keys=(key,))


_SCAN = read_scan("x")


@dataclass(frozen=True, slots=True)
class _Source:
    """One pattern for the other ways.

    Attributes:
        holds: whether the check characters of a text that fits the expression hold; None when there are none.
    """

    pattern: Pattern
    expression: str
    holds: Fits | None


def _others(people: Crowd) -> list[tuple[str, Look, int]]:
    """What else could match: a name, what it does with some keys, and how many keys it gets, because the loop is slow."""
    sources = [
        _Source(
            pattern,
            _expression(pattern.segments),
            compile_fits(pattern.segments) if any(isinstance(one, CheckedSegment) for one in pattern.segments) else None,
        )
        for one in people.sets
        for pattern in one.patterns
    ]
    prefixes = {one.party: one.company_prefixes for one in people.sets}
    return [
        ("loop of compiled re", _loop(sources, prefixes), 20),
        ("prefix map, one RE2 object for each", _prefix_map(sources, prefixes), 400),
        ("one RE2 set", _one_set(sources, prefixes), 2_000),
    ]


Prefixes = Mapping[PartyId, Sequence[str]]


def _fits(source: _Source, key: Key, prefixes: Prefixes) -> bool:
    """What an expression cannot say: check characters, and the company prefixes of a world-wide form."""
    if source.holds is not None and not source.holds(key.text, 0):
        return False
    return key.form is not KeyForm.SGTIN or key.text.startswith(tuple(prefixes[source.pattern.owner]), 1)


def _loop(sources: Sequence[_Source], prefixes: Prefixes) -> Look:
    compiled = {
        form: [(re.compile(one.expression).fullmatch, one) for one in sources if one.pattern.form is form] for form in KeyForm
    }
    return lambda keys: [
        [one for matches, one in compiled[key.form] if matches(key.text) and _fits(one, key, prefixes)] for key in keys
    ]


def _prefix_map(sources: Sequence[_Source], prefixes: Prefixes) -> Look:
    """By form, beginning and length, as the library: what is left is a candidate."""
    buckets: dict[tuple[KeyForm, str, int], list[tuple[Any, _Source]]] = {}
    for one in sources:
        compiled, segments = re2.compile(one.expression), one.pattern.segments
        for length in range(sum(part.shortest for part in segments), sum(part.longest for part in segments) + 1):
            buckets.setdefault((one.pattern.form, split_start(segments)[0], length), []).append((compiled, one))
    lengths = {form: sorted({len(start) for other, start, _ in buckets if other is form}) for form in KeyForm}
    return lambda keys: [
        [
            one
            for length in lengths[key.form]
            for compiled, one in buckets.get((key.form, key.text[:length], len(key.text)), ())
            if compiled.fullmatch(key.text) and _fits(one, key, prefixes)
        ]
        for key in keys
    ]


def _one_set(sources: Sequence[_Source], prefixes: Prefixes) -> Look:
    sets = {}
    options = re2.Options()
    options.max_mem = 1 << 30
    for form in KeyForm:
        of_form = [one for one in sources if one.pattern.form is form]
        made = re2.Set.FullMatchSet(options)
        for one in of_form:
            made.Add(one.expression)
        made.Compile()
        sets[form] = (made, of_form)

    def look(keys: Sequence[Key]) -> list[list[_Source]]:
        result = []
        for key in keys:
            made, of_form = sets[key.form]
            result.append([of_form[number] for number in made.Match(key.text) or () if _fits(of_form[number], key, prefixes)])
        return result

    return look


def _expression(segments: Sequence[Segment]) -> str:
    return "".join(_part(segment) for segment in segments)


def _part(segment: Segment) -> str:
    match segment:
        case CharacterSegment():
            return f"{_set(segment.characters)}{{{segment.shortest},{segment.longest}}}"
        case CheckedSegment(method=method):
            return f"{_set(CHARACTERS[segment.charset])}{{{segment.length}}}{_set(method.check_alphabet)}{{{method.characters}}}"
        case DateSegment(form=form):
            return date_expression(form)
        case _:
            return re.escape(segment.text)


def _set(characters: Iterable[str]) -> str:
    return f"[{re.escape(''.join(sorted(characters)))}]"


def _growth() -> dict[str, dict[str, float]]:
    """From a hundred patterns to a hundred thousand: nanoseconds a hit, and building from nothing in milliseconds."""
    figures = {}
    for parties, each in ((2, 50), (20, 50), (200, 50), (200, 500)):
        people = crowd(parties, each, keys=1_000)
        start = time.perf_counter()
        library = Library.build(people.sets)
        built = time.perf_counter() - start
        library.claims(people.hits)
        figures[str(parties * each)] = {"hit_ns": _in_turns([(library.claims, people.hits)])[0], "build_ms": built * 1e3}
    return figures


def _rebuild(library: Library, people: Crowd) -> float:
    """One Party has changed its set: milliseconds until the new library is there."""
    changed = replace(people.sets[7], version=2, patterns=people.sets[7].patterns[1:])
    sets = [changed if one is people.sets[7] else one for one in people.sets]
    start = time.perf_counter()
    library.rebuilt(sets)
    return (time.perf_counter() - start) * 1e3


def _normalising() -> dict[str, float]:
    """Nanoseconds a scan, for one scan of each spelling."""
    figures = {}
    for raw in SCANS:
        times = []
        for _ in range(300):
            start = time.perf_counter_ns()
            read_scan(raw)
            times.append(time.perf_counter_ns() - start)
        figures[raw[:24].replace("\x1e", "␞").replace("\x1d", "␝")] = statistics.median(times)
    return figures
