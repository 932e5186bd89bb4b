"""A street whose households change their addresses, as texts of a scenario."""

from tests.unit.scenario.texts import SMALL

ROTATING = "[identity]\nrotation_intervals = {}\n"


def street() -> str:
    """Return a scenario of 18 households, of which six have sun on their roofs, and a plant."""
    head, tail = SMALL.split("[[participant]]", 1)[0], "[[plant]]" + SMALL.split("[[plant]]")[1]
    homes = []
    for n in range(18):
        sun = f'pv_kw = {40 + n}\npv_profile = "sun"\nask_share = {n / 40}\n' if n % 3 == 0 else ""
        row = f'[[participant]]\nname = "home {n}"\nbus = {3 + n // 3}\nprofile = "home"\n'
        homes.append(f"{row}rated_kw = {20 + n}\n{sun}")
    tail = tail.replace("peak_kw = 100.0", "peak_kw = 10.0")
    return head.replace("intervals = 4", "intervals = 6") + "".join(homes) + tail


def profiles() -> str:
    """Return six sunny hours, no two alike, a quarter of an hour a row."""
    rows = [
        f"2016-06-09 {n // 4:02d}:{n % 4 * 15:02d}:00,{0.4 + n * 7 % 13 / 50},{0.8 - n / 100}"
        for n in range(24)
    ]
    return "\n".join(["time,home,sun", *rows]) + "\n"
