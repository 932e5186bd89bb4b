"""A call with some of its words changed: what a mutated call is."""

from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from gridpact.ledger.onchain.packing import words

EDGES = [0, 1, 2, 3, 12, 13, 2**40, 2**48, 2**64 - 1, 2**80, 2**96, 2**160 - 1, 2**255, 2**256 - 1]
_number = st.integers(0, 2**16)
change = st.tuples(_number, _number, _number)
"""Which word, in which way, by which number."""
Changes = Sequence[tuple[int, int, int]]
spoils = st.one_of(st.just(()), st.lists(change, min_size=1, max_size=2))
"""Half of the time a call is sent as it should be only; else changed first."""


def spoiled(data: bytes, changes: Iterable[tuple[int, int, int]], known: Sequence[bytes]) -> bytes:
    """Return a call with words of its arguments changed; `known` words mean something."""
    body = bytearray(data)
    for place, way, number in changes:
        if len(body) < 36:
            break
        start = 4 + 32 * (place % ((len(body) - 4) // 32))
        body[start : start + 32] = _word(bytes(body[start : start + 32]), way, number, known)
    return bytes(body)


def _word(word: bytes, way: int, number: int, known: Sequence[bytes]) -> bytes:
    value = int.from_bytes(word, "big")
    match way % 5:
        case 0:
            return known[number % len(known)]
        case 1:
            value = EDGES[number % len(EDGES)]
        case 2:
            value ^= 1 << number % 256
        case 3:
            value += 1
        case 4:
            value -= 1
    return words((value % 2**256,))
