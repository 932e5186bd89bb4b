"""Which `--ledger` names nodes? Apart from `nodes`, which imports all that it takes to ask them."""

from gridpact.errors import BadInput

SCHEMES = ("http://", "https://", "ws://", "wss://")


def split_urls(given: str) -> tuple[str, ...]:
    """Return the addresses of "http://a,http://b", or none when it names no node."""
    if not given.startswith(SCHEMES):
        return ()
    urls = tuple(given.split(","))
    for url in urls:
        if not url.startswith(SCHEMES) or not url.partition("://")[2]:
            raise BadInput(f"{given}: {url!r} is no address of a node")
    return urls
