"""Reputation follows what the meters say was delivered."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.delivery import Delivery
from gridpact.model.order import Tier
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import Rated
from gridpact.model.trade import Fill
from gridpact.quantities import PPM
from gridpact.reputation.feedback import update
from gridpact.reputation.rule import Known, rate

TERMS = FeedbackTerms()
S, T = b"S" * 20, b"T" * 20

scores = st.integers(TERMS.floor, PPM)
energies = st.integers(0, 2**40 - 1) | st.integers(0, 40_000)


def trade(seller: bytes, agreed: int, sent: int, disputed: bool = False) -> tuple[Fill, Delivery]:
    fill = Fill(b"r" * 32, 1, Tier.LOCAL, 0, b"b" * 32, b"o" * 32, b"B" * 20, seller, agreed, 9, 9)
    return fill, Delivery(b"f" * 32, agreed, sent, sent, 0, 0, 0, disputed)


def rated(scores: dict[bytes, int], *trades: tuple[Fill, Delivery]) -> tuple[Rated, ...]:
    known = {seller: Known(score) for seller, score in scores.items()}
    fills, made = [fill for fill, _ in trades], [made for _, made in trades]
    return rate(known, fills, made, TERMS, 0, 3600)


def test_seller_who_keeps_its_word_rises_by_a_tenth_of_what_it_lacks():
    assert update(500_000, 20_000, 20_000, TERMS) == 550_000


def test_seller_who_sends_nothing_loses_three_tenths():
    assert update(500_000, 20_000, 0, TERMS) == 350_000


def test_half_delivered_is_half_a_gain_and_half_a_loss():
    assert update(500_000, 20_000, 10_000, TERMS) == 500_000 + 25_000 - 75_000


def test_small_trades_move_reputation_in_proportion():
    # 5 kWh of 20 kWh reference
    assert update(500_000, 5_000, 5_000, TERMS) == 512_500


def test_energy_beyond_the_reference_counts_no_more():
    assert update(500_000, 200_000, 200_000, TERMS) == 550_000


def test_no_trade_no_change():
    assert update(640_000, 0, 0, TERMS) == 640_000
    assert rated({S: 640_000}, trade(S, 0, 0)) == ()


def test_reputation_stops_at_the_floor():
    score = 120_000
    for _ in range(3):
        score = update(score, 20_000, 0, TERMS)
    assert score == TERMS.floor


def test_sellers_are_rated_once_over_all_their_fills_in_order():
    rows = rated({T: 800_000}, trade(S, 6_000, 6_000), trade(T, 20_000, 0), trade(S, 4_000, 4_000))
    assert rows == (
        Rated(S, 10_000, 10_000, 500_000, 525_000),
        Rated(T, 20_000, 0, 800_000, 560_000),
    )


def test_disputed_delivery_does_not_count_yet():
    assert rated({}, trade(S, 6_000, 0, disputed=True)) == ()
    assert rated({}, trade(S, 6_000, 0, disputed=True), trade(S, 4_000, 4_000))[0].sent_wh == 4_000


@given(scores, energies, st.data())
def test_reputation_stays_between_floor_and_one(score, agreed, data):
    sent = data.draw(st.integers(0, agreed))
    assert TERMS.floor <= update(score, agreed, sent, TERMS) <= PPM


@given(scores, energies)
def test_keeping_never_lowers_and_missing_never_raises(score, agreed):
    assert update(score, agreed, agreed, TERMS) >= score
    assert update(score, agreed, 0, TERMS) <= score


@given(scores, st.integers(1, 2**40 - 1), st.data())
def test_more_delivered_is_never_rated_worse(score, agreed, data):
    less = data.draw(st.integers(0, agreed))
    more = data.draw(st.integers(less, agreed))
    assert update(score, agreed, less, TERMS) <= update(score, agreed, more, TERMS)


@given(scores, st.lists(st.tuples(st.integers(1, 9_000), st.integers(0, 100)), min_size=1))
def test_splitting_energy_over_many_fills_gives_the_same_rating(score, parts):
    trades = [trade(S, energy, energy * percent // 100) for energy, percent in parts]
    agreed = sum(made.agreed for _, made in trades)
    sent = sum(made.sent for _, made in trades)
    assert rated({S: score}, *trades) == rated({S: score}, trade(S, agreed, sent))


@given(scores, st.integers(1, 40_000), st.data())
def test_rule_follows_the_formula_within_two_ppm(score, agreed, data):
    sent = data.draw(st.integers(0, agreed))
    share, weight = sent / agreed, min(1.0, agreed / TERMS.reference_wh)
    r = score / PPM
    exact = r + 0.1 * (1 - r) * share * weight - 0.3 * r * (1 - share) * weight
    assert abs(update(score, agreed, sent, TERMS) - max(exact * PPM, TERMS.floor)) <= 2


def test_a_plant_that_misses_one_percent_settles_near_the_top():
    score = TERMS.prior
    for _ in range(200):
        score = update(score, 20_000, 19_800, TERMS)
    assert 960_000 < score < 980_000
