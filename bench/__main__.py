"""`python -m bench NAME [--json OUT]`: one benchmark; `all` runs every one of them."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from bench.rows import as_json, as_table, write_page

NAMES = (
    "day",
    "gaming",
    "tamper",
    "soak",
    "equality",
    "ledger",
    "gas",
    "net_run",
    "kills",
    "fuzz",
    "grid",
    "grid_flow",
    "market_matching",
    "admission",
    "linking",
    "market",
    "propagation",
    "market_pareto",
    "safety",
)
APART = ("grid_simbench",)  # need a package that we do not depend on
DOCS = Path(__file__).parent.parent / "docs" / "bench"


def main() -> int:
    """Run benchmarks, print their tables, renew their pages; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=(*NAMES, *APART, "all"))
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    chosen = parser.parse_args()
    rows = []
    for name in NAMES if chosen.name == "all" else (chosen.name,):
        module = import_module(f"bench.{name}")
        found = module.run()
        print(f"\n## {name}\n\n{as_table(found)}")
        print(write_page(name, found, module.NOTES, DOCS))
        rows += found
    if chosen.json:
        chosen.json.write_text(as_json(rows))
    return 1 if any(row.holds is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
