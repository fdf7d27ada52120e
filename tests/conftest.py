"""Options of the whole suite: how many storms, and which."""

from __future__ import annotations

import pytest

SEEDS = {"storm_seed": (1, 2, 3), "treaty_seed": (1,), "skirmish_seed": tuple(range(1, 9))}
"""Each is a storm that is seen through at every run; a seed that once failed is added to them, and stays."""
SOAK_SEEDS = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help=f"run {SOAK_SEEDS} storms of each kind instead of a few")
    parser.addoption("--seed", type=int, help="run the storms of this seed only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in SEEDS.keys() & set(metafunc.fixturenames):
        chosen = metafunc.config.getoption("--seed")
        soak = range(1, SOAK_SEEDS + 1) if metafunc.config.getoption("--soak") else SEEDS[name]
        metafunc.parametrize(name, [chosen] if chosen is not None else soak)
