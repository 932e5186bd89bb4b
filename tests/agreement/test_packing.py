"""Names and words are the same in Python and in the contracts."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement.conftest import Ask

from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import pack
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Tier
from gridpact.model.trade import Fill
from gridpact.quantities import MAX_ENERGY, MAX_PRICE

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "packing.json").read_text())
hashes = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20)
fills = st.builds(
    Fill,
    region=hashes,
    interval=st.integers(0, 2**64 - 1),
    tier=st.sampled_from(Tier),
    index=st.integers(0, 2**16 - 1),
    bid=hashes,
    offer=hashes,
    buyer=addresses,
    seller=addresses,
    energy_wh=st.integers(0, MAX_ENERGY),
    price=st.integers(0, MAX_PRICE),
    charge=st.integers(0, MAX_PRICE),
)
keys = st.builds(
    Key,
    region=hashes,
    interval=st.integers(0, 2**64 - 1),
    phase=st.sampled_from(Phase),
    part=st.integers(0, 2**32 - 1),
)


@settings(deadline=None)
@given(fill=fills)
def test_a_fill_has_one_name(rule: Ask, fill: Fill) -> None:
    there = rule("fill_hash", fill.region, fill.interval, packing.fill(fill)[:32],
                 packing.fill(fill)[32:64], fill.buyer, fill.seller, fill.terms)  # fmt: skip
    assert pack(*there) == fill.hash


@settings(deadline=None)
@given(key=keys)
def test_a_key_has_one_name(rule: Ask, key: Key) -> None:
    there = rule("key", key.region, key.interval, int(key.phase), key.part, 0, bytes(32))
    assert pack(*there) == key.packed


def test_fills_have_their_frozen_names(rule: Ask) -> None:
    for vector in VECTORS["fills"]:
        names = {
            name: bytes.fromhex(vector[name])
            for name in ("region", "bid", "offer", "buyer", "seller")
        }
        fill = Fill(
            interval=vector["interval"],
            tier=Tier(vector["tier"]),
            index=vector["index"],
            energy_wh=vector["energy"],
            price=vector["price"],
            charge=vector["charge"],
            **names,
        )
        assert f"{fill.terms:064x}" == vector["terms"]
        there = rule("fill_hash", fill.region, fill.interval, fill.bid, fill.offer, fill.buyer,
                     fill.seller, fill.terms)  # fmt: skip
        assert pack(*there).hex() == fill.hash.hex() == vector["hash"]


def test_keys_have_their_frozen_names(rule: Ask) -> None:
    for vector in VECTORS["keys"]:
        key = Key(
            bytes.fromhex(vector["region"]),
            vector["interval"],
            Phase(vector["phase"]),
            vector["part"],
        )
        assert key.packed.hex() == vector["packed"]
        there = rule("key", key.region, key.interval, int(key.phase), key.part, 0, bytes(32))
        assert pack(*there).hex() == vector["packed"]
