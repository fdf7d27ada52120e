"""The containment walk against a naive oracle that plays all events of the world forward and asks, at each, who is in what."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from node.trace.containment import Containment
from node.trace.events import Aggregation, Arrival, Disaggregation, Recall, Report
from node.trace.gather import gather
from node.trace.parts import RecallReason
from tests.support.memory_trace import MemoryShelf, MemoryTrace

LEVELS = (("p1", "p2"), ("c1", "c2"), ("k1",), ("t1",))
CODES = [code for level in LEVELS for code in level]
CONTAINERS = CODES[2:]


def _rank(code):
    return next(rank for rank, level in enumerate(LEVELS) if code in level)


@st.composite
def _steps(draw):
    """One event: something goes into a larger container, comes out, or is seen; few times, so that many happen at once."""
    kind = draw(st.sampled_from(["pack", "pack", "pack", "take", "unpack", "unpack", "see"]))
    container = draw(st.sampled_from(CONTAINERS))
    smaller = [code for code in CODES if _rank(code) < _rank(container)]
    codes = tuple(draw(st.lists(st.sampled_from(smaller), min_size=1, max_size=2, unique=True)))
    return kind, container, codes, draw(st.integers(0, 6)), draw(st.integers(0, 2)), draw(st.booleans()) and draw(st.booleans())


def _reports(steps):
    reports = []
    for number, (kind, container, codes, time, record, recalled) in enumerate(steps):
        head = {"event_id": f"E{number:02}", "event_time": time, "record_time": record}
        match kind:
            case "pack":
                report = Report(event=Aggregation(container=container, **head), codes=codes)
            case "take":
                report = Report(event=Disaggregation(container=container, **head), codes=codes)
            case "unpack":
                report = Report(event=Disaggregation(container=container, whole=True, **head))
            case _:
                report = Report(event=Arrival(facility_id="F", **head), codes=(container,))
        reports.append(report)
        if recalled:
            about = {"about": report.event.event_id, "reason": RecallReason.OTHER}
            reports.append(Report(event=Recall(event_id=f"R{number:02}", event_time=9, record_time=9, **about)))
    return reports


def _inside(parents, code):
    """The code and everything around it."""
    chain = [code]
    while chain[-1] in parents:
        chain.append(parents[chain[-1]])
    return chain


def _oracle(reports, code):
    """Ids of the events that concern the code: those that name it and those of what it is in at that moment."""
    recalled = {report.event.about for report in reports if isinstance(report.event, Recall)}
    events = sorted((report for report in reports if not isinstance(report.event, Recall)), key=lambda r: r.event.moment)
    parents, concerned = {}, set()
    for report in events:
        event, codes = report.event, report.codes
        counts = event.event_id not in recalled
        chain = _inside(parents, code)
        whole = isinstance(event, Disaggregation) and event.whole
        named = {event.container} if whole else set(codes)
        if named & set(chain) or getattr(event, "container", None) == code:
            concerned.add(event.event_id)
        if counts and isinstance(event, Aggregation):
            parents |= dict.fromkeys(codes, event.container)
        elif counts and isinstance(event, Disaggregation):
            leaving = [inner for inner, outer in parents.items() if outer == event.container and (whole or inner in codes)]
            for inner in leaving:
                del parents[inner]
    return concerned, tuple(_inside(parents, code)[1:])


async def _store(reports):
    store = MemoryTrace()
    await store.put(reports)
    return store


@settings(max_examples=150, deadline=None)
@given(st.lists(_steps(), max_size=14), st.sampled_from(CODES))
async def test_a_history_is_what_a_naive_replay_of_the_world_finds(steps, code):
    reports = _reports(steps)
    history = Containment(gather(MemoryShelf(await _store(reports)), [code])).history(code)
    concerned, inside = _oracle(reports, code)

    assert {entry.event.event_id for entry in history.entries} == concerned if history is not None else not concerned
    assert history is None or history.inside == inside


@settings(max_examples=50, deadline=None)
@given(st.lists(_steps(), max_size=14))
async def test_looking_many_codes_up_at_once_changes_nothing(steps):
    shelf = MemoryShelf(await _store(_reports(steps)))
    together = Containment(gather(shelf, CODES))

    for code in CODES:
        assert together.history(code) == Containment(gather(shelf, [code])).history(code)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)), max_size=12))
async def test_containers_that_hold_each_other_end_the_walk(pairs):
    reports = [
        Report(event=Aggregation(event_id=f"E{number}", event_time=number, record_time=number, container=outer), codes=(inner,))
        for number, (inner, outer) in enumerate(pairs)
        if inner != outer
    ]
    containment = Containment(gather(MemoryShelf(await _store(reports)), CODES))

    for code in CODES:
        history = containment.history(code)
        assert history is None or len(history.inside) < len(CODES)
