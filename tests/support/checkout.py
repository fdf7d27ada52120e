"""The files of this checkout: what is committed or about to be, without what is generated, installed or cached."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_NOT_OURS = frozenset(
    {".git", ".venv", "dist", "build", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
)
GENERATED = ("federation/v1/", "node/v1/")


@cache
def files() -> tuple[Path, ...]:
    """Every file, as a path relative to the root. Without git, as in an unpacked archive, everything that is not ignored."""
    asked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if asked.returncode == 0:
        names = [Path(name) for name in asked.stdout.splitlines()]
    else:
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file() and not _is_ignored(path)]
    return tuple(sorted(path for path in names if (ROOT / path).is_file()))


def _is_ignored(path: Path) -> bool:
    relative = path.relative_to(ROOT)
    return bool(_NOT_OURS.intersection(relative.parts)) or str(relative).startswith(GENERATED)


@cache
def text(path: Path) -> str:
    """The text of a file, given by its path relative to the root; empty when it is none."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def sources(*folders: str) -> tuple[Path, ...]:
    """Python files under these folders; of the whole checkout when none is named."""
    return tuple(path for path in files() if path.suffix == ".py" and (not folders or path.parts[0] in folders))


@cache
def tree(path: Path) -> ast.Module:
    """A Python file, parsed."""
    return ast.parse(text(path), filename=str(path))


def module_name(path: Path) -> str:
    """`node/cli/ask.py` is `node.cli.ask`, and a package has the name of its folder."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
