"""What may stand open: by credibility without more, beyond it on a deposit."""

from msgspec.structs import replace

from gridpact.cycle.cover import Cover, disputed
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Tier
from gridpact.model.rating import ONE, CredibilityTerms, Standing
from gridpact.model.record import Settlement, Timing
from gridpact.model.statement import Case, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import amount

TERMS, CAP = CredibilityTerms(), 200_000
SELLER, REGION = b"\1" * 20, b"\2" * 32
V0 = 4_000


def cover(points: int, deposit: int, open_wh: int = 0, interval: int = 0) -> Cover:
    known = Standing(points * ONE, 0, points, 0, V0)
    held = {SELLER: open_wh} if open_wh else {}
    return Cover(TERMS, Timing(), interval, lambda _: known, lambda _: deposit, held)


def test_credibility_alone_covers_what_breaking_would_take() -> None:
    assert cover(10, 0).allowed(SELLER) == 2 * V0
    assert cover(10, 0).problem(SELLER, 2 * V0, CAP) == ""
    assert cover(10, 0).problem(SELLER, 2 * V0 + 5, CAP) == (
        "8005 Wh would stand open and 8000 Wh are covered by credibility: the rest needs a deposit"
        " of 1000 micro-units, there are 0"
    )


def test_a_newcomers_deposit_covers_its_offer_to_the_micro_unit() -> None:
    due = amount(CAP, V0)
    assert cover(0, due).problem(SELLER, V0, CAP) == ""
    assert "800000 micro-units, there are 799999" in cover(0, due - 1).problem(SELLER, V0, CAP)
    assert cover(0, 0).problem(SELLER, V0, 0) == ""


def test_what_is_in_dispute_stands_open_too() -> None:
    due = amount(CAP, V0)
    assert cover(0, due, open_wh=1).problem(SELLER, V0 - 1, CAP) == ""
    assert "4001 Wh would stand open" in cover(0, due, open_wh=1).problem(SELLER, V0, CAP)


def test_the_clock_takes_its_share_of_old_credibility() -> None:
    half_life = 30 * 24
    fresh, old = cover(10, 0), cover(10, 0, interval=half_life)
    assert old.allowed(SELLER) in (fresh.allowed(SELLER) // 2 - 1, fresh.allowed(SELLER) // 2)


def test_only_disputes_that_have_not_ended_count() -> None:
    fill = Fill(REGION, 0, Tier.LOCAL, 0, b"b" * 32, b"o" * 32, b"\3" * 20, SELLER, 700, 1, 0)
    made = Delivery(fill.hash, 700, 0, 0, 0, 0, 0, True)
    held = Statement(fill.hash, Case.DISPUTE, *(0,) * 9)
    open_one = Settlement((fill,), (made,), (held,), ())
    earlier, later = Key(REGION, 3, Phase.SETTLE), Key(REGION, 4, Phase.SETTLE)
    settled = {earlier: open_one, later: open_one}
    assert disputed(settled.get, REGION, 5, 2) == {SELLER: 1_400}
    assert disputed(settled.get, REGION, 5, 1) == {SELLER: 700}
    settled[Key(REGION, 3, Phase.SETTLE, 2)] = Settlement((), (), (), ())
    assert disputed(settled.get, REGION, 5, 2) == {SELLER: 700}
    settled[later] = replace(open_one, statements=(replace(held, case=Case.FULL),))
    assert not disputed(settled.get, REGION, 5, 2)
