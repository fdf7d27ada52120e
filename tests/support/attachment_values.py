"""Hypothesis strategies for attachments: the entries of a header, and the files of a body."""

from __future__ import annotations

from hypothesis import strategies as st

from federation.envelope import suite
from federation.envelope.attachment import ENDINGS, Attachment, AttachmentId, FileFacts, Named
from federation.errors import FederationError

SIZE_MAX = 10_000_000
"""A few of this size fit into one message."""
IDS = st.binary(min_size=16, max_size=16).map(AttachmentId)
HASHES = st.binary(min_size=64, max_size=64)
NAMED = st.builds(Named, attachment_id=IDS, size=st.integers(suite.stream_size(1), suite.stream_size(SIZE_MAX)), sha512=HASHES)
NAMED_ONES = st.lists(NAMED, max_size=3, unique_by=lambda one: one.attachment_id).map(tuple)


def _facts(stem: str, ending: str, size: int, sha512: bytes) -> FileFacts | None:
    try:
        return FileFacts(name=stem + ending, media_type=ENDINGS[ending], size=size, sha512=sha512)
    except FederationError:
        return None


FACTS = st.builds(
    _facts,
    stem=st.text("abcZ09 .-_()\u00e4\u00df\u5b57\u0645", min_size=1, max_size=12),
    ending=st.sampled_from(sorted(ENDINGS)),
    size=st.integers(1, SIZE_MAX),
    sha512=HASHES,
).filter(bool)
ATTACHMENTS = st.builds(
    Attachment,
    attachment_id=IDS,
    facts=FACTS,
    key=st.binary(min_size=32, max_size=32),
    ciphertext_sha512=HASHES,
)
ATTACHED = (
    st.lists(ATTACHMENTS, max_size=3, unique_by=(lambda one: one.attachment_id, lambda one: one.facts.name.casefold()))
).map(tuple)
"""Files of one message."""
