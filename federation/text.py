"""What text may hold, wherever it comes from: the scripts of all Parties, and nothing that hides, moves or reorders other text.

What a value accepts here, the other side's decoder accepts too, so nothing that was composed is refused only when it arrives.
"""

from __future__ import annotations

from typing import Final

from federation.errors import InvalidInput, Oversized

_BESIDES: Final = dict.fromkeys(map(ord, "\u00a0\u202f\u3000\u200c\u200d\u200e\u200f"))
"""Not printable for Python, and in every second text: the spaces that do not break (French) and the wide one (Chinese), the joiners
(Persian, Hindi), the two marks of direction (Arabic, Hebrew). What turns the direction of following text round is not among them.
"""


def is_plain(value: str, *, lines: bool = False) -> bool:
    """Whether text can be shown as it stands; line ends (LF) only where they make sense."""
    shown = value.replace("\n", "") if lines else value
    return shown.isprintable() or shown.translate(_BESIDES).isprintable()  # nearly all text is printable as it stands


def check_plain(value: str, what: str, *, characters_max: int, lines: bool = False) -> None:
    """See that text is plain and not too long.

    Raises:
        Oversized: it has more characters.
        InvalidInput: it holds control characters.
    """
    if len(value) > characters_max:
        raise Oversized(f"{what} has more than {characters_max} characters")
    if not is_plain(value, lines=lines):
        raise InvalidInput(f"{what} holds control characters", hint="type it anew: something invisible was pasted with it")
