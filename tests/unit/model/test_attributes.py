"""What an order asks beyond energy and price, and how its terms name it."""

import pytest

from gridpact.model.attributes import NO_TERMS, Attributes, terms_of
from gridpact.model.typed import ATTRIBUTES

PARTNER = b"\x05" * 20


def test_who_asks_nothing_signs_no_terms() -> None:
    assert terms_of(None) == terms_of(Attributes()) == NO_TERMS


def test_terms_are_the_struct_hash_in_the_order_of_the_fields() -> None:
    full = Attributes(True, 3, 5, 2, PARTNER, 7)
    assert full.hash == ATTRIBUTES.struct_hash((1, 3, 5, 2, PARTNER, 7))


@pytest.mark.parametrize(
    "one",
    [
        Attributes(all_or_nothing=True),
        Attributes(start=0, end=1),
        Attributes(source=1),
        Attributes(partner=PARTNER),
        Attributes(zone=1),
    ],
)
def test_every_attribute_changes_the_terms(one: Attributes) -> None:
    assert one.hash not in (NO_TERMS, Attributes(zone=2).hash)
    assert not one.problem
