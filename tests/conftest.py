"""Options of the whole suite: how many storms, and which."""

from __future__ import annotations

import pytest

SEEDS = (1, 2, 3)
"""Each is a storm that is seen through at every run; a seed that once failed is added to them, and stays."""
SOAK_SEEDS = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help=f"run {SOAK_SEEDS} storms of each kind instead of {len(SEEDS)}")
    parser.addoption("--seed", type=int, help="run the storms of this seed only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "storm_seed" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--seed")
        soak = range(1, SOAK_SEEDS + 1) if metafunc.config.getoption("--soak") else SEEDS
        metafunc.parametrize("storm_seed", [chosen] if chosen is not None else soak)
