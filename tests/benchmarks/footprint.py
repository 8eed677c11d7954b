"""What a stack weighs before it does anything: the time of its import, the bytes of its dependency tree."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
MODULES = {"livebridge": "livebridge", "google-genai": "google.genai"}


def import_ms(stack: str) -> float:
    """Time that the import takes in a new process, in ms."""
    code = f"import time; t = time.perf_counter(); import {MODULES[stack]}; print(time.perf_counter() - t)"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode:
        raise RuntimeError(f"{stack} cannot be imported: {told.stderr.strip().splitlines()[-1]}")
    return float(told.stdout) * 1e3


def installed_mib(stack: str) -> tuple[float, int]:
    """Size of a distribution with everything that it needs, in MiB of files as installed (bytecode left out).

    Returns:
        The size, and how many distributions that is.
    """
    found: dict[str, int] = {}
    if stack == "livebridge":
        found[stack] = sum(
            path.stat().st_size
            for path in (ROOT / "livebridge").rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        )
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        wanted = [Requirement(text) for text in project["dependencies"]]
    else:
        wanted = [Requirement(stack)]
    while wanted:
        requirement = wanted.pop()
        name = requirement.name.lower().replace("_", "-")
        extras = {"", *requirement.extras}
        key = f"{name}[{','.join(sorted(requirement.extras))}]"
        if key in found or not _applies(requirement, {""}):
            continue
        found[key] = 0 if name in found else _size(name)
        found.setdefault(name, 0)
        needs = [Requirement(text) for text in distribution(name).requires or ()]
        wanted += [_unconditional(each) for each in needs if _applies(each, extras)]
    return sum(found.values()) / 2**20, sum("[" not in key for key in found)


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def _unconditional(requirement: Requirement) -> Requirement:
    requirement.marker = None
    return requirement


def _size(name: str) -> int:
    try:
        files = distribution(name).files or ()
    except PackageNotFoundError:
        return 0
    paths = (Path(file.locate()) for file in files if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())
