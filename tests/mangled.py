"""Hypothesis strategies: something real, with a few bytes or lines spoiled as a hostile or broken client would."""

from hypothesis import strategies as st


def mangled(packets: list[bytes]) -> st.SearchStrategy[bytes]:
    """One of the packets with bytes changed, cut out, doubled or put in."""
    return st.builds(_spoil, st.sampled_from(packets), st.lists(_changes(), min_size=1, max_size=6))


def _changes() -> st.SearchStrategy[tuple[str, float, int]]:
    return st.tuples(
        st.sampled_from(("set", "flip", "cut", "double", "insert", "end")), st.floats(0, 1), st.integers(0, 255)
    )


def _spoil(packet: bytes, changes: list[tuple[str, float, int]]) -> bytes:
    data = bytearray(packet)
    for what, where, value in changes:
        # Most of what a parser decides on stands in the first bytes.
        at = min(int(where * where * len(data)), max(0, len(data) - 1))
        match what:
            case "set" if data:
                data[at] = value
            case "flip" if data:
                data[at] ^= 1 << value % 8
            case "cut":
                del data[at : at + 1 + value % 16]
            case "double":
                data[at:at] = data[at : at + 1 + value % 16]
            case "insert":
                data[at:at] = bytes([value]) * (1 + value % 5)
            case _:
                del data[max(1, at) :]
    return bytes(data)


def mangled_text(texts: list[str]) -> st.SearchStrategy[str]:
    """One of the texts with lines taken out, doubled, exchanged or spoiled."""
    return st.builds(_spoil_lines, st.sampled_from(texts), st.lists(_line_changes(), min_size=1, max_size=5))


def _line_changes() -> st.SearchStrategy[tuple[str, float, float, str]]:
    words = st.sampled_from(
        ("", " ", "-1", "99999999999", "\u00e9", "a=mid:0", "x" * 3000, "\0", "m=application 9 x y")
    )
    return st.tuples(
        st.sampled_from(("out", "double", "swap", "word", "cut", "put")), st.floats(0, 1), st.floats(0, 1), words
    )


def _spoil_lines(text: str, changes: list[tuple[str, float, float, str]]) -> str:
    lines = text.split("\r\n")
    for what, where, other, word in changes:
        at, to = (min(int(x * len(lines)), len(lines) - 1) for x in (where, other))
        match what:
            case "out" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(at, lines[to])
            case "swap":
                lines[at], lines[to] = lines[to], lines[at]
            case "word":
                parts = lines[at].split(" ")
                parts[int(other * len(parts)) % len(parts)] = word
                lines[at] = " ".join(parts)
            case "cut":
                lines[at] = lines[at][: int(other * len(lines[at]))]
            case _:
                lines.insert(at, word)
    return "\r\n".join(lines)
