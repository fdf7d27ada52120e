"""Track-and-trace profiles: any bytes are a profile or our error, and a profile has one encoding."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from federation.errors import InvalidConfiguration
from node.formats.trace_profile import parse_trace_profile

KEYS = st.from_regex(r"[a-z0-9_-]{1,8}", fullmatch=True).filter(lambda key: key != "version")
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=12)
LEAVES = TEXTS | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)


def toml(value: object) -> str:
    """A value on one line, the keys of its tables in the order that they have."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_a_profile_or_our_error(content):
    with suppress(InvalidConfiguration):
        parse_trace_profile(content)


@given(st.binary(max_size=60))
def test_bytes_behind_a_version_are_a_profile_or_our_error(content):
    with suppress(InvalidConfiguration):
        parse_trace_profile(b"version = 1\n" + content)


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.integers(1, 2**53 - 1))
def test_order_changes_nothing_and_every_value_is_kept(table, version):
    lines = [f"{key} = {toml(value)}" for key, value in table.items()]
    one = parse_trace_profile("\n".join([f"version = {version}", *lines]).encode())
    other = parse_trace_profile("\n\n".join([*reversed(lines), f"version = {version}"]).encode())

    assert one == other
    assert json.loads(one.encoded) == {**table, "version": version}
