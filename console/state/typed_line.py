"""One line of words as it is typed."""


def typed(text: str, key: str, longest: int) -> str:
    """The line after a key, which is a printable character or Textual's name of another key."""
    if key == "backspace":
        return text[:-1]
    return text + key if len(key) == 1 and key.isprintable() and len(text) < longest else text
