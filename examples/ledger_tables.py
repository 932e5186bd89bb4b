"""Read a ledger's tables: who was paid how much for energy, by the chain's own events.

`python examples/ledger_tables.py LEDGER.db` exports the ledger into a folder beside it and adds up
what the settlement contracts paid.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from gridpact.ledger.reading.export import export


def main(ledger: Path) -> None:
    files = {path.stem: path for path in export(ledger, ledger.parent / "tables")}
    events = pq.read_table(files["events"]).to_pylist()
    blocks = pq.read_table(files["blocks"]).to_pylist()
    interval = {(row["chain"], row["number"]): row["interval"] for row in blocks}
    paid: Counter[tuple[str, int]] = Counter()
    for row in events:
        if row["event"] == "Settled":
            when = interval[row["chain"], row["block"]]
            paid[row["chain"], when] += json.loads(row["arguments"])["paid"]
    for (chain, when), money in sorted(paid.items()):
        print(f"{chain} interval {when}: {money / 1e6:.2f} paid for energy")
    print(f"{sum(paid.values()) / 1e6:.2f} in all, {len(events)} events")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
