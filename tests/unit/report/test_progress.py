"""What a person sees at the terminal."""

import io

import pytest
from rich.console import Console

from gridpact.report.findings import Findings
from gridpact.report.progress import Shown, short_table


def _told(terminal: bool) -> str:
    out = io.StringIO()
    with Shown(Console(file=out, force_terminal=terminal, width=80), 24, 1.0) as watch:
        for interval in range(24):
            for phase in ("price", "collect", "settle"):
                watch(interval, phase)
    return out.getvalue()


def test_a_log_file_gets_one_plain_line_a_quarter() -> None:
    lines = _told(terminal=False).splitlines()
    assert lines == [
        "interval 1 of 24, 00:00",
        "interval 7 of 24, 06:00",
        "interval 13 of 24, 12:00",
        "interval 19 of 24, 18:00",
    ]


def test_a_terminal_gets_a_bar() -> None:
    assert "\x1b[" in _told(terminal=True)


def _fail(console: Console) -> None:
    with Shown(console, 24, 1.0) as watch:
        watch(0, "price")
        raise KeyError("run")


def test_bar_is_taken_down_when_the_run_fails() -> None:
    out = io.StringIO()
    with pytest.raises(KeyError):
        _fail(Console(file=out, force_terminal=True, width=80))
    hidden, shown = out.getvalue().rfind("\x1b[?25l"), out.getvalue().rfind("\x1b[?25h")
    assert 0 <= hidden < shown


def test_short_table_holds_the_headlines(found: Findings) -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(short_table(found))
    text = out.getvalue()
    hours = found.compared.hours
    assert f"{sum(hour.contracted_before for hour in hours) / 1000:,.0f}" in text
    assert f"{found.compared.not_worse} of 60 pay no more" in text
    assert f"{found.curves.voltage.max():.4f}" in text
