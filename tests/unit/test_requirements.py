"""What `make demo` installs is enough for it, though the tests have more beside it.

A folder of links to the packages of `requirements/runtime.txt`, and nothing else that is installed,
stands for a new machine.
"""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.unit.scenario import texts

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "gridpact"


@cache
def locked() -> frozenset[str]:
    """Return the distributions that `runtime.txt` puts on this machine."""
    text = (ROOT / "requirements" / "runtime.txt").read_text()
    lines = re.sub(r"\\\n *", " ", text).splitlines()
    found = [Requirement(line.split("--hash")[0]) for line in lines if line[:1].isalpha()]
    assert found
    return frozenset(
        canonicalize_name(one.name) for one in found if one.marker is None or one.marker.evaluate()
    )


@cache
def optional() -> frozenset[str]:
    """Return the distributions that the project names as optional."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return _names(one for group in project["optional-dependencies"].values() for one in group)


@cache
def brought() -> frozenset[str]:
    """Return what optional distributions bring with them."""
    theirs = (one for name in optional() for one in importlib.metadata.requires(name) or ())
    return _names(one for one in theirs if "extra ==" not in one)


def _names(requirements: Iterable[str]) -> frozenset[str]:
    return frozenset(canonicalize_name(Requirement(one).name) for one in requirements)


def imports(source: Path) -> set[str]:
    """Return the packages of others that a source imports."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        found |= {name.partition(".")[0] for name in names}
    return found - sys.stdlib_module_names - {"gridpact"}


def strangers(allowed: Collection[str]) -> list[str]:
    """Return what sources import of no distribution that is `allowed`.

    A source that stands on an optional distribution may use what comes with it, too.
    """
    providers = {
        package: set(map(canonicalize_name, names))
        for package, names in importlib.metadata.packages_distributions().items()
    }
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        needed = {package: providers.get(package, set()) for package in imports(path)}
        known = set(allowed)
        if any(names & optional() for names in needed.values()):
            known |= optional() | brought()
        found += [f"{one} in {path.name}" for one, names in needed.items() if not names & known]
    return found


def test_every_import_is_of_the_runtime_or_of_a_declared_extra() -> None:
    assert strangers(locked()) == []


def links(folder: Path, allowed: Collection[str]) -> Path:
    """Fill a folder with links to what is installed of these distributions, and to gridpact."""
    for name in sorted(allowed):
        for file in importlib.metadata.distribution(name).files or ():
            top, target = file.parts[0], Path(str(file.locate())).parents[len(file.parts) - 1]
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(target / top)
    (folder / "gridpact").symlink_to(SOURCES)
    return folder


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with this folder's packages and no others."""
    return subprocess.run(
        # -S: nothing of the environment's own packages
        [sys.executable, "-S", "-m", "gridpact", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_market_runs_and_is_audited_with_the_locked_packages_alone(tmp_path: Path) -> None:
    new = links(tmp_path, locked())
    scenario, out = texts.write(tmp_path), tmp_path / "out"
    steps = [
        ("run", str(scenario), "--out", str(out)),
        ("audit", str(out / "ledger.db")),
        ("ledger", "show", str(out / "ledger.db"), "1"),
        ("ledger", "export", str(out / "ledger.db"), "--out", str(tmp_path / "tables")),
    ]
    for step in steps:
        done = alone(new, *step)
        assert done.returncode == 0, (step, done.stderr)
    assert (out / "report.html").exists()
    # and the folder hides what it should: the tests' own packages cannot be imported
    hidden = subprocess.run(
        [sys.executable, "-S", "-c", "import hypothesis"],
        env=os.environ | {"PYTHONPATH": str(new)},
        capture_output=True,
        check=False,
    )
    assert hidden.returncode != 0


def test_a_package_that_is_not_locked_is_missed(tmp_path: Path) -> None:
    less = locked() - {"pyarrow"}
    assert any(one.startswith("pyarrow in ") for one in strangers(less))
    scenario = texts.write(links(tmp_path, less))
    done = alone(tmp_path, "run", str(scenario), "--out", str(tmp_path / "out"))
    assert done.returncode != 0
    assert "No module named 'pyarrow'" in done.stderr
