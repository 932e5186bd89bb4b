"""The examples of the README and the guides run as they stand."""

import re
from pathlib import Path

from tests.unit.guides import ROOT, examples, ran


def test_python_example_of_the_readme_runs() -> None:
    [example] = examples("README.md")
    assert "60 of 60 consumers pay no more than before" in ran(example)


def test_python_example_of_the_calculations_runs(tmp_path: Path) -> None:
    [example] = examples("docs/solve.md")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    assert ran(example, tmp_path).startswith("optimal ")
    assert (tmp_path / "feeder.svg").exists()


def test_python_examples_of_the_scenario_guide_run() -> None:
    assert ran("".join(examples("docs/scenario.md"))).split() == ["120", "420000", "2"]


def test_python_example_of_the_sensors_runs() -> None:
    [example] = examples("docs/safety.md")
    assert ran(example).startswith("50 trades,")


def test_python_example_of_the_propagation_page_runs() -> None:
    [example] = examples("docs/propagation.md")
    bare, backed = map(float, ran(example).split()[-2:])
    assert bare < 0.9 < backed == 1


def test_every_file_that_the_readme_and_docs_name_is_there() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} names {target}"
