"""What an officer can see of the library at the own node. Everything here is public among Parties: no right beyond being one's own
officer is asked for.
"""

from __future__ import annotations

from federation.errors import NotFound
from federation.identity import OfficerName
from federation.uim.confusable import Suggestion
from node import limits as node_limits
from node.use_cases.entitlement import Entitlement
from node.use_cases.library import Patterns
from node.use_cases.pattern_sets import LibraryRow


class LibraryReads:
    """What the Library servicer calls. The caller has verified the officer's certificate; the entitlement is the second look."""

    def __init__(self, patterns: Patterns, entitlement: Entitlement) -> None:
        self._patterns = patterns
        self._may = entitlement.require

    async def library_rows(self, officer: OfficerName, *, after: int) -> tuple[tuple[LibraryRow, ...], bool]:
        """Rows behind the first so many, and whether there are more."""
        await self._may(officer, "library_rows")
        rows = self._patterns.rows()
        end = after + node_limits.LIBRARY_ROWS_PER_REPLY_MAX
        return rows[after:end], len(rows) > end

    async def library_set(self, officer: OfficerName, digest: bytes) -> bytes:
        """A set by its digest, however old.

        Raises:
            NotFound: this node never had it.
        """
        await self._may(officer, "library_set")
        encoded = await self._patterns.encoded(digest)
        if encoded is None:
            raise NotFound("this node has no such pattern set", hint="`gsp library status` says what is missing, and why")
        return encoded

    async def suggest(self, officer: OfficerName, text: str) -> tuple[Suggestion, ...]:
        """Spellings that a typed code may be a mistake for."""
        await self._may(officer, "suggest")
        return self._patterns.suggest(text)
