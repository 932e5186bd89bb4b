"""Group commit: those who wait together are written together, and nobody waits for nobody."""

import threading
import time
from collections.abc import Sequence

import pytest

from gridpact.errors import Unavailable
from gridpact.ledger.embedded.group import GroupCommit


def test_a_lone_caller_is_written_at_once() -> None:
    groups: list[list[int]] = []

    def write(wanted: Sequence[int]) -> list[int]:
        groups.append(list(wanted))
        return [2 * each for each in wanted]

    group: GroupCommit[int, int] = GroupCommit(write)
    begun = time.perf_counter()
    assert [group.submit(lambda n=n: n) for n in range(50)] == [2 * n for n in range(50)]  # type: ignore[misc]
    assert groups == [[n] for n in range(50)]
    assert time.perf_counter() - begun < 50 * 0.002


def test_those_who_come_during_a_write_share_the_next() -> None:
    groups: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def write(wanted: Sequence[int]) -> list[int]:
        groups.append(sorted(wanted))
        begun.set()
        assert go_on.wait(10)
        return [10 * each for each in wanted]

    group: GroupCommit[int, int] = GroupCommit(write)
    results: dict[int, int] = {}

    def call(number: int) -> None:
        results[number] = group.submit(lambda: number)

    first = threading.Thread(target=call, args=(0,))
    first.start()
    assert begun.wait(10)
    rest = [threading.Thread(target=call, args=(number,)) for number in range(1, 9)]
    for thread in rest:
        thread.start()
    while len(group._waiting) < len(rest):
        time.sleep(0.001)
    go_on.set()
    for thread in [first, *rest]:
        thread.join()
    assert groups == [[0], [1, 2, 3, 4, 5, 6, 7, 8]]
    assert results == {number: 10 * number for number in range(9)}


def test_a_writer_that_dies_tells_the_others_to_ask_again() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def write(wanted: Sequence[str]) -> list[str]:
        if "first" in wanted:
            begun.set()
            assert go_on.wait(10)
        elif len(wanted) > 1:
            raise KeyboardInterrupt
        return list(wanted)

    group: GroupCommit[str, str] = GroupCommit(write)
    told: list[type[BaseException] | str] = []

    def call(name: str) -> None:
        try:
            told.append(group.submit(lambda: name))
        except (KeyboardInterrupt, Unavailable) as error:
            told.append(type(error))

    threads = [threading.Thread(target=call, args=(name,)) for name in ("first", "a", "b")]
    threads[0].start()
    assert begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(group._waiting) < 2:
        time.sleep(0.001)
    go_on.set()
    for thread in threads:
        thread.join()
    assert sorted(map(str, told)) == sorted(map(str, ["first", KeyboardInterrupt, Unavailable]))
    assert group.submit(lambda: "later") == "later"


def test_who_cannot_prepare_keeps_nobody_waiting() -> None:
    group: GroupCommit[int, int] = GroupCommit(list)
    with pytest.raises(ZeroDivisionError):
        group.submit(lambda: 1 // 0)
    begun = time.perf_counter()
    assert group.submit(lambda: 3) == 3
    assert time.perf_counter() - begun < 0.002
