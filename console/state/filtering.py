"""A filter over a list: what is typed after `/`. Rows that lack one of its words are left out."""

from dataclasses import dataclass

from .typed_line import typed

LONGEST = 60


@dataclass
class Filter:
    """While `typing`, keys go into the text; Enter keeps it, Escape clears it."""

    text: str = ""
    typing: bool = False

    @property
    def active(self) -> bool:
        return bool(self.text.strip())

    def begin(self) -> None:
        self.typing = True

    def clear(self) -> None:
        self.text, self.typing = "", False

    def press(self, key: str) -> None:
        """`key`: a printable character, or Textual's name of another key."""
        if key == "enter":
            self.typing = False
        elif key == "escape":
            self.clear()
        else:
            self.text = typed(self.text, key, LONGEST)

    def keeps(self, *fields: str) -> bool:
        """Each word typed stands in one of the fields, in capitals or not."""
        joined = "\n".join(fields).casefold()
        return all(word in joined for word in self.text.casefold().split())

    def words(self, kept: int, of: int) -> str:
        """For the message row; empty when there is no filter."""
        if self.typing:
            return f"Filter: {self.text}▏ {kept} of {of} · Enter keeps it · Esc clears it"
        return f"Filter: {self.text} · {kept} of {of} · / changes it · Esc clears it" if self.active else ""
