"""Compile the Vyper contracts to the artefacts that gridpact ships (ABI and bytecode).

    python scripts/compile_contracts.py            write src/gridpact/contracts/artefacts/*.json
    python scripts/compile_contracts.py --check    fail if a committed artefact differs

Vyper is a development dependency only. The target is `london`, which every consortium client runs.
"""

import json
import sys
from pathlib import Path
from typing import Any

from vyper import __version__
from vyper.compiler import compile_code
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import OptimizationLevel, Settings

from gridpact.ledger.onchain.suite import ORDER

CONTRACTS = Path(__file__).parents[1] / "src" / "gridpact" / "contracts"
VERSION = "0.4.3"
EVM = "london"
SIZE_LIMIT = 24_576
STUDY = ("study/naive_sort",)
"""Contracts that only studies deploy."""


def artefact(name: str) -> str:
    """Return the artefact of one contract as JSON text, the same on every machine."""
    path = CONTRACTS / f"{name}.vy"
    compiled = compile_code(
        path.read_text(),
        contract_path=path.name,
        input_bundle=FilesystemInputBundle([CONTRACTS]),
        settings=Settings(evm_version=EVM, optimize=OptimizationLevel.GAS),
        output_formats=["abi", "bytecode", "bytecode_runtime", "layout"],
    )
    size = len(compiled["bytecode_runtime"]) // 2 - 1 + immutables(compiled["layout"])
    if size >= SIZE_LIMIT:
        raise SystemExit(f"{name}: {size} bytes, the limit is {SIZE_LIMIT}")
    content = {
        "contract": name,
        "compiler": f"vyper {VERSION}",
        "evm": EVM,
        "size": size,
        "abi": compiled["abi"],
        "bytecode": compiled["bytecode"],
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def immutables(layout: dict[str, Any]) -> int:
    """Return how many bytes a contract's immutables add to its code, its modules' included. [B]"""
    places = layout.get("code_layout", {}).values()
    return sum(
        place["length"] if "length" in place else immutables({"code_layout": place})
        for place in places
    )


def main(arguments: list[str]) -> int:
    if __version__.split("+")[0] != VERSION:
        raise SystemExit(f"vyper {VERSION} is needed, this is {__version__}")
    check = arguments == ["--check"]
    if arguments and not check:
        raise SystemExit(__doc__)
    stale = []
    for name in (*ORDER, *STUDY):
        path, text = CONTRACTS / "artefacts" / f"{name}.json", artefact(name)
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"{name:12} {json.loads(text)['size']:6} bytes")
    if stale:
        print(f"artefacts differ from their sources: {', '.join(stale)}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
