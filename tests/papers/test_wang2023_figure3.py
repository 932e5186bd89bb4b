"""[Wang23] figure 3, page 8: gas of eight operations and of sorting bids on chain."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.anvil import anvil, rpc

from gridpact.studies import figure3
from gridpact.studies.ground import CHAIN_ID, Sent
from gridpact.studies.wang2023 import (
    SORTING_LETB,
    SORTING_RETB,
    FigureThree,
    figure_3,
    naive_sort,
)


@pytest.fixture(scope="module")
def found() -> FigureThree:
    return figure_3(sizes=(9, 10, 11, 21, 22, 23), draws=4)


def on_anvil(sent: Sequence[Sent]) -> list[int]:
    """Return the gas on anvil's receipts of the same raw transactions in the same blocks."""
    options = ("--no-mining", "--timestamp", "1", "--gas-limit", "100000000")
    used = []
    with anvil(CHAIN_ID, *options) as url:
        for one in sent:
            name = rpc(url, "eth_sendRawTransaction", "0x" + one.raw.hex())
            rpc(url, "evm_mine", one.time)
            receipt = rpc(url, "eth_getTransactionReceipt", name)
            assert receipt["status"] == "0x1"
            used.append(int(receipt["gasUsed"], 16))
    return used


@pytest.mark.parametrize("chain", [0, 1])
def test_gas_of_all_operations_is_that_of_a_nodes_receipts(found: FigureThree, chain: int) -> None:
    sent = found.sent[chain]
    assert len(sent) > 15
    assert [one.gas for one in sent] == on_anvil(sent)


def test_gas_of_the_naive_sort_is_that_of_a_nodes_receipts() -> None:
    gas, sent = naive_sort([5, 3, 9, 1, 7, 2, 8, 6, 4, 10])
    assert gas in {one.gas for one in sent}
    assert [one.gas for one in sent] == on_anvil(sent)


def test_naive_sorting_reproduces_both_numbers_of_the_paper(found: FigureThree) -> None:
    means = {one.bids: one.mean for one in found.sorts}
    assert found.bids_for(SORTING_RETB) == pytest.approx(10, abs=1)
    assert found.bids_for(SORTING_LETB) == pytest.approx(22, abs=1)
    assert means[10] == pytest.approx(SORTING_RETB, rel=0.1)
    assert means[22] == pytest.approx(SORTING_LETB, rel=0.1)


def test_posting_costs_less_than_the_paper_allows(found: FigureThree) -> None:
    operations = {one.letter: one for one in found.operations}
    assert list(operations) == list("abcdefgh")
    for letter in "bcdeg":
        assert operations[letter].holds, operations[letter]
    assert operations["a"].gas == operations["f"].gas


def test_everything_that_is_written_says_the_same(found: FigureThree, tmp_path: Path) -> None:
    written = {path.name: path.read_text() for path in figure3.write(found, tmp_path)}
    assert set(written) == {"figure3.svg", "figure3.csv", "figure3-sorting.csv", "figure3.md"}
    for one in found.operations:
        assert f"{one.gas:,}" in written["figure3.md"]
    rows = list(csv.DictReader(written["figure3.csv"].splitlines()))
    assert [(row["operation"], int(row["gas"])) for row in rows] == [
        (one.letter, one.gas) for one in found.operations
    ]
    assert written["figure3.svg"].startswith("<svg")
    assert "paper: at most" in written["figure3.svg"]
