"""One check that all desks make: what somebody said is what is known."""

from gridpact.errors import Misstated


def expect(what: str, said: object, known: object) -> None:
    """See that what was said is what is known.

    Raises
    ------
    Misstated
        It is not.
    """
    if said != known:
        raise Misstated(what, said, known)
