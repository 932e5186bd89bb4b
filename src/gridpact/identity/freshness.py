"""Was this said before, is it said now, and not too often? Time window, nonces and rate limit.

A message counts within a window around now; within it no nonce of a sender counts twice, and one
sender is heard so many times. Older nonces are forgotten, for the window refuses their messages:
memory stays bounded by what may be sent in a window.
"""

from collections import deque

import msgspec

from gridpact.errors import BadInput, OutOfTime, Replayed, TooMany


class FreshnessTerms(msgspec.Struct, frozen=True):
    """The numbers of the rule.

    Attributes
    ----------
    window_s
        How far a message's time may lie from the receiver's clock, both ways. [s]
    most
        Messages that one sender may send within a window.
    """

    window_s: int = 300
    most: int = 60

    def __post_init__(self) -> None:
        if self.window_s < 1 or self.most < 1:
            raise BadInput(
                f"freshness: window {self.window_s} s and {self.most} messages, expected at least 1"
            )


class _Heard:
    """What is remembered of one sender: times of arrival, and nonces until they are too old."""

    def __init__(self) -> None:
        self.arrivals: deque[int] = deque()
        self.nonces: dict[int, int] = {}


class Freshness:
    """One receiver's memory of what it heard."""

    def __init__(self, terms: FreshnessTerms) -> None:
        self._terms = terms
        self._heard: dict[bytes, _Heard] = {}
        self._swept = 0

    def count(self, sender: bytes, now: int) -> None:
        """Count an arrival from a sender whose signature holds.

        Raises
        ------
        TooMany
            It was heard as often as may be within the window; this one is not counted.
        """
        if now > self._swept + self._terms.window_s:
            self.forget(now)
        heard = self._heard.setdefault(sender, _Heard())
        while heard.arrivals and heard.arrivals[0] <= now - self._terms.window_s:
            heard.arrivals.popleft()
        if len(heard.arrivals) >= self._terms.most:
            raise TooMany(sender, self._terms.most, self._terms.window_s)
        heard.arrivals.append(now)

    def take(self, sender: bytes, nonce: int, sent_at: int, now: int) -> None:
        """Take a message's nonce: the same will not be taken again.

        Raises
        ------
        OutOfTime
            Sent too long ago or in the future.
        Replayed
            The nonce was taken before.
        """
        window = self._terms.window_s
        if abs(now - sent_at) > window:
            raise OutOfTime(sent_at, now, window)
        heard = self._heard.setdefault(sender, _Heard())
        for old in [one for one, at in heard.nonces.items() if at < now - window]:
            del heard.nonces[old]
        if nonce in heard.nonces:
            raise Replayed(sender, nonce)
        heard.nonces[nonce] = sent_at

    def forget(self, now: int) -> None:
        """Drop the senders that were silent for two windows; `count` does so once per window."""
        self._swept = now
        silent = now - 2 * self._terms.window_s
        for sender, heard in list(self._heard.items()):
            if (not heard.arrivals or heard.arrivals[-1] < silent) and all(
                at < silent for at in heard.nonces.values()
            ):
                del self._heard[sender]
