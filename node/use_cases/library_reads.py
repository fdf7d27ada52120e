"""What an officer can see of the library at the own node. Everything here is public among Parties: no right beyond being one's own
officer is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from federation import limits
from federation.errors import Forbidden, InvalidInput, NotFound
from federation.identity import OfficerName, PartyId
from federation.uim.confusable import Suggestion
from node.use_cases.directory_reads import DirectoryReads
from node.use_cases.library import Patterns
from node.use_cases.pattern_sets import LibraryRow


class LibraryReads:
    """What the Library servicer calls. The caller has verified the officer's certificate; this is the second look."""

    def __init__(self, *, own: PartyId, patterns: Patterns, reads: DirectoryReads) -> None:
        self._own = own
        self._patterns = patterns
        self._reads = reads

    def _admit(self, officer: OfficerName) -> None:
        if officer.party != self._own:
            raise Forbidden("the desk serves the officers of its own Party")

    async def rows(self, officer: OfficerName, *, after: int) -> tuple[tuple[LibraryRow, ...], bool]:
        """Rows behind the first so many, and whether there are more."""
        self._admit(officer)
        rows = self._patterns.rows()
        end = after + limits.LIBRARY_ROWS_PER_REPLY_MAX
        return rows[after:end], len(rows) > end

    async def encoded(self, officer: OfficerName, digest: bytes) -> bytes:
        """A set by its digest, however old.

        Raises:
            NotFound: this node never had it.
        """
        self._admit(officer)
        encoded = await self._patterns.encoded(digest)
        if encoded is None:
            raise NotFound("this node has no such pattern set", hint="`gsp library status` says what is missing, and why")
        return encoded

    async def log(self, officer: OfficerName, *, start: int) -> tuple[Sequence[bytes], bytes]:
        """The newest accepted checkpoint, and entries from a place on, as many as one reply may hold."""
        self._admit(officer)
        size = self._reads.size
        if not 0 <= start <= size:
            raise InvalidInput("the log has no such part")
        return await self._reads.entries(start, size), await self._reads.checkpoint()

    async def suggest(self, officer: OfficerName, text: str) -> tuple[Suggestion, ...]:
        """Spellings that a typed code may be a mistake for."""
        self._admit(officer)
        return self._patterns.suggest(text)
