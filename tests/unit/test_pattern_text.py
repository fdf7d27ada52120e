"""A set that was written as TOML is read back as the same set."""

from __future__ import annotations

import pytest

from node.formats.pattern_text import pattern_file
from node.formats.patterns import read_pattern_file
from tests.support.patterns import pattern, pattern_set, shipped_sets


@pytest.mark.parametrize("shipped", shipped_sets(), ids=lambda one: one.party)
def test_a_shipped_set_survives(shipped):
    assert read_pattern_file(pattern_file(shipped, remarks=["for a test"])) == shipped


def test_an_empty_set_survives():
    assert read_pattern_file(pattern_file(pattern_set())) == pattern_set()


def test_strange_texts_survive():
    strange = pattern_set(pattern(title='a "quoted" \\ title \u00e9 \u05d0', counter_examples=("\x1d\x7f\t'", "\U0001f600")))

    assert read_pattern_file(pattern_file(strange)) == strange
