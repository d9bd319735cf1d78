"""A view that slides over a stream of blocks: memory is bounded, and no answer depends on the borders of blocks."""

from collections.abc import Iterable, Iterator
from itertools import chain

from remediate.logs.damaged import Damaged

_LONGEST = 1 << 20


class Window:
    """``data`` grows at its end by `more` and shrinks at its front by `drop`; ``ended``: the stream has no more.

    Lines are counted as the window passes over them, once. ``damage``: what the stream has lost, in words.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._newlines = 0
        self._counted = 0
        self._last = b"\n"
        self.data = b""
        self.ended = False
        self.damage: str | None = None

    def more(self) -> bool:
        """One more block at the end of the data; False where there is none."""
        try:
            block = next(self._blocks, None)
        except Damaged as error:
            block, self.damage = None, str(error)
        if block is None:
            self.ended = True
            return False
        self.data += block
        self._last = block[-1:] or self._last
        return True

    def fill(self, size: int) -> bytes:
        """The data, of at least this size where the stream has that much."""
        while len(self.data) < size and self.more():
            pass
        return self.data

    def drop(self, size: int) -> None:
        """Forget that many bytes at the front."""
        if size > self._counted:
            self.line(size)
        self.data = self.data[size:]
        self._counted -= size

    def line(self, position: int) -> int:
        """The number, from 1, of the line that holds the position; positions are asked for in rising order."""
        self._newlines += self.data.count(b"\n", self._counted, position)
        self._counted = position
        return self._newlines + 1

    def line_blocks(self) -> Iterator[list[bytes]]:
        """The lines of the rest, without their ends, as many at once as a block has. What is longer than any line of a
        log is cut."""
        rest = b""
        while self.data or self.more():
            *whole, rest = (rest + self.data).split(b"\n")
            self.drop(len(self.data))
            yield [line.removesuffix(b"\r") for line in whole]
            rest = rest[:_LONGEST]
        if rest:
            yield [rest.removesuffix(b"\r")]

    def each_line(self) -> Iterator[bytes]:
        return chain.from_iterable(self.line_blocks())

    def lines(self) -> int:
        """How many lines the stream has, once it has ended."""
        while True:
            self.drop(len(self.data))
            if not self.more():
                return self._newlines + (self._last != b"\n")
