"""Which calculations does `gridpact solve` know? One file a kind, found here by its name.

A kind is a function of plain JSON data to plain JSON data, and nothing else: it reads no clock, no
file and no setting. Its file is imported when it is asked for.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gridpact.errors import BadInput

Answer = dict[str, Any]
Kind = Callable[[object], Answer]


def _opf(data: object) -> Answer:
    from gridpact.solve import opf

    return opf.answer(opf.solved(opf.request(data)))


KINDS: Mapping[str, Kind] = {"opf": _opf}


def kind(name: str) -> Kind:
    """Return a kind by its name."""
    if name not in KINDS:
        raise BadInput(f"solve {name}: is no kind that is known, expected {', '.join(KINDS)}")
    return KINDS[name]
