"""Who gains by which mechanism? Long: `python -m bench.mechanisms` renews docs/bench/mechanisms.md.

Some 360 market days at 20 seeds, about 8 CPU minutes; not among `python -m bench all`. With
`--read FOLDER` the page is made from the CSV files of an earlier `gridpact study mechanisms`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from gridpact.studies.mechanisms import TITLES, Outcome, against, figure, table
from gridpact.studies.mechanisms_page import read
from gridpact.studies.mechanisms_picture import write

DOCS = Path(__file__).parent.parent / "docs" / "bench"
SCENARIO = Path(__file__).parent.parent / "scenarios" / "sce56-day.toml"
NOTES = """The same drawn days under every rule: what each group has more than without a market
[units of currency], what neighbours traded and the wires cut [kWh], welfare of the local trades
(bid less offer, times energy). People, sun and forecasts are those of the seed; orders do not
change with the rule, nobody learns to game it; no signatures. Mean ± half of its 95 % interval over
the seeds. The second table of a figure compares the same days with its first row's rule, where the
days' own differences drop out."""


def page(made: Sequence[Outcome]) -> str:
    """Return the page of docs/bench/."""
    draws = made[0].values["welfare"].shape[1]
    text = (
        "# Who gains by which mechanism\n\nWritten by `python -m bench.mechanisms`; do not edit.\n"
    )
    text += f"\n{NOTES}\n\nScenario {SCENARIO.name}, {draws} seeds.\n"
    for found in made:
        name = f"mechanisms-figure{found.number}"
        text += (
            f"\n## {found.title[0].upper()}{found.title[1:]}\n\n![{found.title}]({name}.svg)\n\n"
            f"{table(found)}\n\nMore than with {found.variants[0]}, day by day:\n\n"
            f"{table(against(found))}\n\nEvery day: [{name}.csv]({name}.csv).\n"
        )
    return text


def main() -> None:
    """Run or read the study and renew its page."""
    parser = argparse.ArgumentParser(prog="python -m bench.mechanisms", description=__doc__)
    parser.add_argument("--draws", type=int, default=20, help="seeds")
    parser.add_argument("--read", type=Path, help="folder with the CSV files of a study")
    chosen = parser.parse_args()
    if chosen.read:
        files = {number: chosen.read / f"mechanisms-figure{number}.csv" for number in TITLES}
        made = [read(path, number, TITLES[number]) for number, path in files.items()]
    else:
        made = [figure(number, SCENARIO, chosen.draws) for number in TITLES]
    for found in made:
        for path in write(found, DOCS):
            if path.suffix == ".md":
                path.unlink()
    (DOCS / "mechanisms.md").write_text(page(made), encoding="utf-8")
    print(DOCS / "mechanisms.md")


if __name__ == "__main__":
    main()
