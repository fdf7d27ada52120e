"""A terminal for every session."""

from __future__ import annotations

import pytest

from tests.support.terminal import Terminal


@pytest.fixture
def terminal(tmp_path) -> Terminal:
    return Terminal(tmp_path)
