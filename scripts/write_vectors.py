"""Write `tests/vectors/*.json`: numbers that another implementation can check itself against.

The vectors are frozen with the first release: a change of a file is a change of the protocol.
Run `python scripts/write_vectors.py`, or with `--check` to see whether the files still hold.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridpact.crypto import merkle
from gridpact.crypto.eip712 import Domain, StructType
from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key as Place
from gridpact.model.interval import Phase
from gridpact.model.order import Tier
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill
from gridpact.model.typed import ALL
from gridpact.settlement.split import split

VECTORS = Path(__file__).resolve().parents[1] / "tests" / "vectors"
DOMAIN = Domain(20_260_609, bytes.fromhex("00112233445566778899aabbccddeeff00112233"))
DEVICE = Key.derive(b"gridpact vectors", "device")


def example(kind: str, field: str) -> int | bytes:
    """Return the value that a field has in the vectors: drawn from its name, true to its type."""
    drawn = keccak(f"{kind} {field}".encode())
    if kind == "bytes32":
        return drawn
    if kind == "address":
        return drawn[:20]
    if kind == "bool":
        return drawn[0] & 1
    return int.from_bytes(drawn, "big") % 2 ** int(kind.removeprefix("uint"))


def _typed(struct: StructType) -> dict[str, Any]:
    values = [example(kind, field) for kind, field in struct.fields]
    digest = DOMAIN.digest(struct.struct_hash(values))
    return {
        "name": struct.name,
        "type": struct.signature,
        "values": [value.hex() if isinstance(value, bytes) else str(value) for value in values],
        "typeHash": struct.type_hash.hex(),
        "digest": digest.hex(),
        "signature": DEVICE.sign(digest).hex(),
    }


def eip712() -> dict[str, Any]:
    return {
        "chainId": DOMAIN.chain_id,
        "verifyingContract": DOMAIN.verifying_contract.hex(),
        "separator": DOMAIN.separator.hex(),
        "signer": DEVICE.address.hex(),
        "structs": [_typed(struct) for struct in ALL],
    }


def _tree(count: int) -> dict[str, Any]:
    leaves = [keccak(bytes([count, n]))[: 1 + n % 32] for n in range(count)]
    return {
        "leaves": [leaf.hex() for leaf in leaves],
        "root": merkle.root(leaves).hex(),
        "proofs": [[each.hex() for each in merkle.proof(leaves, n)] for n in range(count)],
    }


def trees() -> dict[str, Any]:
    return {"trees": [_tree(count) for count in (0, 1, 2, 3, 5, 8, 13)]}


def example_fill(energy: int, price: int, charge: int, index: int = 0) -> Fill:
    names = [keccak(name.encode()) for name in ("region", "bid", "offer", "buyer", "seller")]
    return Fill(
        names[0],
        7,
        Tier.LOCAL,
        index,
        names[1],
        names[2],
        names[3][:20],
        names[4][:20],
        energy,
        price,
        charge,
    )


# (agreed, sent, received, unused, unused_sent, held, disputed) of a fill of their sum
DELIVERIES = (
    (10_000, 10_000, 9_900, 0, 0, 0, False),
    (10_000, 9_950, 9_700, 0, 0, 0, False),
    (10_000, 10_000, 9_400, 0, 0, 0, False),
    (10_000, 10_000, 9_100, 0, 0, 0, False),
    (10_000, 7_000, 6_900, 0, 0, 0, False),
    (10_000, 7_000, 6_001, 0, 0, 0, False),
    (10_000, 0, 0, 0, 0, 0, False),
    (6_001, 6_001, 5_950, 3_999, 2_500, 0, False),
    (0, 0, 0, 10_000, 10_000, 0, False),
    (0, 0, 0, 0, 0, 10_000, False),
    (4_000, 3_999, 3_990, 3_000, 3_000, 3_000, False),
    (10_000, 9_000, 9_500, 0, 0, 0, False),
    (10_000, 10_000, 9_900, 0, 0, 0, True),
    (3, 3, 3, 0, 0, 0, False),
)


def _settled(price: int, charge: int, numbers: tuple[int, ...]) -> dict[str, Any]:
    agreed, sent, received, unused, unused_sent, held, disputed = numbers
    fill = example_fill(agreed + unused + held, price, charge)
    delivery = Delivery(
        fill.hash, agreed, sent, received, unused, unused_sent, held, bool(disputed)
    )
    statement = split(fill, delivery, SettlementTerms(), 20_000)
    names = ("paid", "charge", "fee_seller", "fee_network", "refund", "reward", "claim")
    return {
        "price": price,
        "chargePrice": charge,
        "delivery": [*numbers[:6], bool(disputed)],
        "case": int(statement.case),
        "lock": fill.lock,
        **{name: getattr(statement, name) for name in names},
    }


def settlement() -> dict[str, Any]:
    prices = ((120_003, 20_000), (99_999, 61_001))
    return {
        "terms": {
            name: getattr(SettlementTerms(), name)
            for name in SettlementTerms.__annotations__
            if name != "dispute_window"  # says when, not how much
        },
        "lossShare": 20_000,
        "fills": [_settled(*pair, numbers) for pair in prices for numbers in DELIVERIES],
    }


def packing() -> dict[str, Any]:
    fills = [
        example_fill(*numbers)
        for numbers in (
            (1, 1, 0),
            (2**40 - 1, 2**48 - 1, 2**48 - 1, 2**16 - 1),
            (12_345, 120_003, 20_000, 3),
        )
    ]
    keys = [Place(keccak(b"region"), 23, phase, 2) for phase in Phase]
    return {
        "fills": [
            {
                "region": fill.region.hex(),
                "interval": fill.interval,
                "bid": fill.bid.hex(),
                "offer": fill.offer.hex(),
                "buyer": fill.buyer.hex(),
                "seller": fill.seller.hex(),
                "energy": fill.energy_wh,
                "price": fill.price,
                "charge": fill.charge,
                "index": fill.index,
                "tier": int(fill.tier),
                "terms": f"{fill.terms:064x}",
                "hash": fill.hash.hex(),
            }
            for fill in fills
        ],
        "keys": [
            {
                "region": key.region.hex(),
                "interval": key.interval,
                "phase": int(key.phase),
                "part": key.part,
                "packed": key.packed.hex(),
            }
            for key in keys
        ],
    }


FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "eip712.json": eip712,
    "merkle.json": trees,
    "settlement.json": settlement,
    "packing.json": packing,
}


def text(name: str) -> str:
    return json.dumps(FILES[name](), indent=1) + "\n"


def main(arguments: list[str]) -> int:
    changed = [name for name in FILES if not _holds(name)]
    if "--check" in arguments:
        print("changed: " + ", ".join(changed) if changed else "all vectors hold")
        return 1 if changed else 0
    for name in changed:
        (VECTORS / name).write_text(text(name))
        print(f"wrote {name}")
    return 0


def _holds(name: str) -> bool:
    path = VECTORS / name
    return path.exists() and path.read_text() == text(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
