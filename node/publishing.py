"""A Party's own patterns at the command line and in the running node: written into its folder, and taken up from there.

Whoever can write the folder could also change the settings, so a file is enough: the running node notices it, keeps the set where
others can fetch it, and enters its digest into the directory under the Party key. Nothing of this needs the Secretariat's consent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from federation.errors import Forbidden, InvalidInput, NotFound
from federation.uim.pattern import PREFIX_START, Pattern, PatternSet, try_examples
from federation.wire.patterns import encode_pattern_set
from node.config import NodeSettings
from node.formats.particulars import own_particulars, own_set
from node.formats.pattern_text import pattern_file
from node.joining import OWN_PATTERNS, read_sets
from node.keystore import replace_file


class OwnSets:
    """The sets of a running node, looked at again when a file has changed.

    Attributes:
        sets: those that this node answers with.
        says: what the Party says of itself with them.
    """

    def __init__(self, home: Path, settings: NodeSettings) -> None:
        """Read them.

        Raises:
            InvalidConfiguration: a file is wrong.
        """
        self._home = home
        self._settings = settings
        self._seen = self._stamps()  # before they are read: what changes from here on is noticed
        self._read()

    def look(self) -> bool:
        """Read the sets again when a file is another one than at the last look, and say whether it was.

        Raises:
            InvalidConfiguration: a file is wrong; the sets stay as they were, and it is read again when it has changed.
        """
        stamps = self._stamps()
        if stamps == self._seen:
            return False
        self._seen = stamps
        self._read()
        return True

    def _read(self) -> None:
        sets = read_sets(self._home, self._settings)
        self.says = own_particulars(self._home, self._settings, sets)
        self.sets = sets

    def _stamps(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_stamp(self._home / name) for name in (OWN_PATTERNS, *self._settings.patterns))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def publish(home: Path, settings: NodeSettings, wanted: PatternSet) -> PatternSet:
    """Put a set in the place of the one that this Party has published, with the next version.

    Raises:
        Forbidden: it is another Party's.
        InvalidInput: it says what is published already.
        Malformed, Oversized: its examples contradict it, or nobody would take it.
    """
    if wanted.party != settings.party_id:
        raise Forbidden(
            f"this set is of {wanted.party}, and this node is of {settings.party_id}",
            hint="a Party publishes its own set; a draft for another one is sent to it",
        )
    before = own_set(settings, read_sets(home, settings))
    if before is not None and replace(wanted, version=before.version) == before:
        raise InvalidInput(f"version {before.version} says the same already", hint="there is nothing to publish")
    version = max(wanted.version, before.version + 1 if before is not None else 1)
    patterns = tuple(_next_version(pattern, before) for pattern in wanted.patterns)
    published = replace(wanted, version=version, patterns=patterns)
    try_examples(published)
    encode_pattern_set(published)
    text = pattern_file(published, remarks=["Written by `gsp pattern publish`; change the file it was made from."])
    replace_file(home / OWN_PATTERNS, text.encode())
    return published


def withdraw(home: Path, settings: NodeSettings, pattern_ids: Collection[str], *, everything: bool) -> PatternSet:
    """Publish the set without some of its patterns, or with none at all.

    Raises:
        NotFound: this Party has published no set, or no pattern of that name.
    """
    before = own_set(settings, read_sets(home, settings))
    if before is None:
        raise NotFound(f"{settings.party_id} has published no patterns", hint="`gsp pattern publish FILE` publishes a set")
    unknown = sorted(set(pattern_ids) - {pattern.pattern_id for pattern in before.patterns})
    if unknown:
        raise NotFound(f"the published set has no pattern {', '.join(unknown)}", hint="`gsp library status` lists what it has")
    left = () if everything else tuple(one for one in before.patterns if one.pattern_id not in pattern_ids)
    prefixes = before.company_prefixes if _has_prefixes(left) else ()
    return publish(home, settings, replace(before, patterns=left, company_prefixes=prefixes))


def _has_prefixes(patterns: Sequence[Pattern]) -> bool:
    return any(pattern.form in PREFIX_START for pattern in patterns)


def _next_version(pattern: Pattern, before: PatternSet | None) -> Pattern:
    """A pattern that has changed counts up, whatever its file says."""
    older = next((one for one in before.patterns if one.pattern_id == pattern.pattern_id), None) if before is not None else None
    if older is None:
        return pattern
    same = replace(pattern, version=older.version) == older
    return replace(pattern, version=older.version if same else max(pattern.version, older.version + 1))
