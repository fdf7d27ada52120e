"""Bounds of what a machine does by itself with codes and patterns: how long it looks and how much it shows. None of it crosses, so
each node could have its own; what everybody has to keep to is in `federation.limits`.
"""

from __future__ import annotations

from typing import Final

CONFLICTS_SHOWN_MAX: Final = 500
"""Conflicts between Parties' patterns in one report: whoever has more has one cause for many of them."""
WITNESS_TRIES_MAX: Final = 400
"""Codes tried for a witness of an overlap: two check characters agree by chance once in a hundred or so."""
SURVEY_SHOWN_MAX: Final = 50
"""Codes shown that a set does not cover, or reads in two ways: they have the same few causes."""
SURVEY_CODES_MIN: Final = 20
"""Codes of one pattern from which on a segment that never changes is worth a word."""
SUGGESTIONS_TRIED_MAX: Final = 10_000
"""Spellings near a typed code that are tried: every single mistake in the longest code, and pairs of the likeliest."""
SUGGESTIONS_MAX: Final = 16
"""Spellings offered for a typed code: a longer list is no help."""
DRAFT_CODES_MIN: Final = 5
"""Sample codes for a draft: of fewer nothing can be learned."""
DRAFT_CODES_MAX: Final = 10_000
"""Sample codes for a draft, and codes in one file: more tell nothing new, and the draft waits for a person."""
CLAIMS_ON_SHAPE_MAX: Final = 64
"""Claims weighed on one shape of code: when more Parties describe exactly the same texts, the shape tells nothing of any of them."""
NEAR_MISS_SHAPES_MAX: Final = 1_000
"""Patterns that are looked at to say why a code fits none: a second's work of nobody, whatever the sets hold."""
NEAR_MISSES_MAX: Final = 256
"""Near misses that are sorted before the first CANDIDATES_MAX are shown."""
DATES_REMEMBERED_MAX: Final = 8_192
"""Dates whose reading is remembered: a year of hours. Codes of one seizure share a few."""
