"""What `gsp doctor` says about peers' accounts: alarms for ever, differences while they stand, and peers that give none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from federation.evidence.account import DifferenceKind, Judgement
from federation.ports import Alarm, Difference, ReconcileStore, Standing
from node import limits
from node.use_cases.desk_values import Check, Health

WORDS = {
    Judgement.REWRITTEN: "its journal is not the one that it signed before",
    Judgement.NOT_SHOWN: "it cannot show what it signed before",
    Judgement.SHORTENED: "its journal is shorter than it was",
    Judgement.EPOCH_GONE: "it knows nothing of a part of its journal that it signed",
}
DIFFERENCE_WORDS = {
    DifferenceKind.LOST_THERE: "they receipted and do not have",
    DifferenceKind.FORGOTTEN_THERE: "they sent and do not have any more",
    DifferenceKind.LOST_HERE: "this node receipted and does not have",
    DifferenceKind.FORGOTTEN_HERE: "this node sent and does not have any more",
    DifferenceKind.ALTERED: "both have, and not the same",
}
"""Behind a number of messages."""

_ALARM_HINT = "`gsp journal export` gives the two signed statements that prove it; tell that Party and the others"
_DIFFERENCE_HINT = "`gsp journal status` names the messages; what they lost is sent again by itself for a week"
_SILENT_HINT = "their node may be down or of an older version: ask their contact point"


async def journal_checks(store: ReconcileStore, *, now: float) -> tuple[Check, ...]:
    """One check for alarms, one for differences, one for peers that give no account."""
    standings = await store.standings()
    alarms: dict[str, tuple[Alarm, ...]] = {}
    differences: dict[str, list[Difference]] = {}
    for standing in standings:
        _, differing, sounded = await store.findings(standing.peer)
        if sounded:
            alarms[standing.peer] = sounded
        if open_ones := [one for one in differing if not one.healed]:
            differences[standing.peer] = open_ones
    return _alarms(alarms), _differences(differences), *_silent(standings, now)


def _alarms(alarms: dict[str, tuple[Alarm, ...]]) -> Check:
    if not alarms:
        return Check(
            name="peers' journals", health=Health.GOOD, words="every journal that was looked at agrees with what was signed"
        )
    words = "; ".join(f"{peer}: {WORDS[found[0].judgement]} ({len(found)} statements)" for peer, found in sorted(alarms.items()))
    return Check(name="peers' journals", health=Health.BAD, words=words, hint=_ALARM_HINT)


def _differences(differences: dict[str, list[Difference]]) -> Check:
    if not differences:
        return Check(name="reconciled", health=Health.GOOD, words="no peer's account differs from what this node has")
    words = "; ".join(f"{peer}: {difference_words(found)}" for peer, found in sorted(differences.items()))
    return Check(name="reconciled", health=Health.WARNING, words=words, hint=_DIFFERENCE_HINT)


def difference_words(found: list[Difference]) -> str:
    """In how many messages of which kind the two sides differ."""
    kinds = Counter(one.kind for one in found)
    return ", ".join(f"{count} that {DIFFERENCE_WORDS[kind]}" for kind, count in sorted(kinds.items()))


def _silent(standings: tuple[Standing, ...], now: float) -> Iterator[Check]:
    """A node of an older version says that it does not know the call; that is told after a few days, like silence."""
    silent = [one for one in standings if one.failing_since and now - one.failing_since > limits.RECONCILE_SILENT_S]
    if silent:
        words = ", ".join(f"{one.peer} ({one.problem})" for one in silent)
        yield Check(name="accounts", health=Health.WARNING, words=f"no account for days from {words}", hint=_SILENT_HINT)
