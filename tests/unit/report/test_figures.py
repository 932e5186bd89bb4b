"""Every figure is a small picture that stands alone in a page."""

import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from gridpact.report import figures_money
from gridpact.report.figures import FIGURES, figures
from gridpact.report.findings import Findings
from gridpact.report.style import svg
from gridpact.report.words import FIGURES as WORDS


@pytest.fixture(scope="module")
def drawn(found: Findings) -> dict[str, str]:
    return figures(found)


def test_every_figure_is_xml_and_small(drawn: dict[str, str]) -> None:
    for name, picture in drawn.items():
        root = ET.fromstring(picture)
        assert root.tag == "{http://www.w3.org/2000/svg}svg", name
        assert root.get("viewBox"), name
        assert len(list(root.iter())) > 20, name
        assert len(picture) < 80_000, name


def test_figures_load_nothing(drawn: dict[str, str]) -> None:
    for picture in drawn.values():
        assert 'href="http' not in picture
        assert "url(http" not in picture
        assert "<metadata" not in picture


def test_text_stays_text(drawn: dict[str, str]) -> None:
    assert "renewable plants" in drawn["energy_by_tier"]
    assert "hour of the day" in drawn["voltages"]


def test_every_figure_is_explained_in_words() -> None:
    assert FIGURES.keys() == WORDS.keys()


def test_cut_generation_is_drawn_only_where_there_is_some(
    found: Findings, drawn: dict[str, str]
) -> None:
    assert not found.curves.curtailed.any()
    assert "curtailment" not in drawn
    cut = dataclasses.replace(found.curves, curtailed=np.full(24, 30.0))
    assert "curtailment" in figures(dataclasses.replace(found, curves=cut))


def test_the_same_day_gives_the_same_picture(found: Findings, drawn: dict[str, str]) -> None:
    assert svg(FIGURES["gains"](found), "gains") == drawn["gains"]
    assert svg(FIGURES["voltages"](found), "voltages") == drawn["voltages"]


def test_the_highest_voltage_is_named_with_its_bus(found: Findings, drawn: dict[str, str]) -> None:
    v = found.curves.voltage
    bus = found.day.scenario.grid.file.feeder.ids[int(v.argmax()) % v.shape[1]]
    assert f"{v.max():.4f} at bus {bus}" in drawn["voltages"]


def test_small_reputations_are_drawn_over_the_whole_height(
    found: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = figures_money._paths
    assert figures_money.reputations(found).axes[0].get_ylim()[1] == pytest.approx(1.02)
    monkeypatch.setattr(
        figures_money,
        "_paths",
        lambda *asked: {who: path / 15 for who, path in real(*asked).items()},
    )
    assert figures_money.reputations(found).axes[0].get_ylim()[1] == pytest.approx(0.051)
