"""The objects of a JSON array of any length, or objects one after the other, each decoded by itself.

What is broken is passed over, up to the next line that begins with an object.
"""

import codecs
import re
from collections.abc import Iterator
from json import JSONDecoder
from typing import Any

from remediate.logs.tally import Tally
from remediate.logs.window import Window

# In characters; no event is as long as that.
LONGEST = 4 << 20
_BETWEEN = re.compile(r"[\s,\[\]]*+")
_OBJECT = re.compile(r"\n\s*+\{")


def objects(window: Window, tally: Tally) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object, and the line on which it begins."""
    text = _Text(window)
    decode = JSONDecoder().raw_decode
    while text.pass_over(_BETWEEN):
        if text.data[text.at] == "{":
            try:
                value, end = decode(text.data, text.at)
            except (ValueError, RecursionError):
                if len(text.data) - text.at < LONGEST and text.more():
                    continue
            else:
                yield text.line(), value
                text.at = end
                continue
        tally.unparsed += 1
        text.seek(_OBJECT)


class _Text:
    """The text of a window, from a place on."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = 1
        self._counted = 0
        self.data = ""
        self.at = 0

    def more(self) -> bool:
        """Longer, and begun anew at the place."""
        if not self._window.data and not self._window.more():
            return False
        self.line()
        self.data = self.data[self.at :] + self._decoder.decode(self._window.data)
        self.at = self._counted = 0
        self._window.drop(len(self._window.data))
        return True

    def line(self) -> int:
        self._line += self.data.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def pass_over(self, pattern: re.Pattern[str]) -> bool:
        """Move behind what matches here; False where nothing comes after it."""
        while True:
            match = pattern.match(self.data, self.at)
            self.at = self.at if match is None else match.end()
            if self.at < len(self.data):
                return True
            if not self.more():
                return False

    def seek(self, pattern: re.Pattern[str]) -> None:
        """Move to the last character of the next match, or to the end."""
        self.at += 1
        while (match := pattern.search(self.data, self.at)) is None:
            # What begins with the last line may yet match.
            last = self.data.rfind("\n", self.at)
            self.at = len(self.data) if last < 0 else last
            if not self.more():
                self.at = len(self.data)
                return
        self.at = match.end() - 1
