"""What terminals that officers use send and answer, as their sources say; no more of them is acted here.

PuTTY: terminal/terminal.c of 0.84 (`format_function_key`, `format_small_keypad_key`, `format_arrow_key`, the cases
'c' and 'n' of a CSI sequence) and conf.h (`termtype` is xterm, `bksp_is_delete`, `no_applic_k`, `cjk_ambig_wide`
off). It answers DA as a VT102, and where its cursor is; it knows no DECRQM, XTVERSION or Kitty's keyboard, and
swallows DCS and APC strings. Function keys go as ESC[11~ for F1 and so on, or with the xterm setting F1 to F4 as ESC
O P to S; which of the two is the default goes by its version.

Windows Terminal: src/terminal/adapter/adaptDispatch.cpp and src/terminal/input/terminalInput.cpp of 1.26. It answers
DA, where its cursor is, DECRQSS with the colours that are set, and DECRQM, of which 2026 (synchronised output) is
known and 2048 (sizes in band) is not. It has Kitty's keyboard protocol, unless it is turned off. WT_SESSION and
COLORTERM do not come through SSH; TERM is what the ssh client sends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

CURSOR_IS, DEVICE, SGR_IS = b"\x1b[6n", b"\x1b[c", b"\x1bP$qm\x1b\\"
SYNCHRONISED_KNOWN, IN_BAND_KNOWN = b"\x1b[?2026$p", b"\x1b[?2048$p"


@dataclass(frozen=True)
class Habits:
    """`answers` by question; `keys` by Textual's names, all others are typed as they are. `all_keys_escaped`: Kitty's
    protocol with the flags that Textual asks for, a modifier's own key included."""

    name: str
    environment: Mapping[str, str]
    answers: Mapping[bytes, bytes]
    keys: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    all_keys_escaped: bool = False

    def typed(self, *keys: str) -> bytes:
        """The bytes of these keys: a character each, or a name."""
        return b"".join(self.keys.get(key) or self._character(key) for key in keys)

    def _character(self, key: str) -> bytes:
        assert len(key) == 1, key
        if not self.all_keys_escaped:
            return key.encode()
        if key.isupper() or key == "?":
            base = "/" if key == "?" else key.lower()
            return f"\x1b[57441;2u\x1b[{ord(base)};2;{ord(key)}u".encode()
        return f"\x1b[{ord(key)};;{ord(key)}u".encode()


_EDITING = {"pagedown": b"\x1b[6~", "pageup": b"\x1b[5~", "up": b"\x1b[A", "down": b"\x1b[B", "f12": b"\x1b[24~"}
_PLAIN = {"escape": b"\x1b", "enter": b"\r", "backspace": b"\x7f", "ctrl+q": b"\x11", "ctrl+p": b"\x10"}
_PUTTY_EDITING = _EDITING | _PLAIN | {"home": b"\x1b[1~", "end": b"\x1b[4~", "ctrl+down": b"\x1bOB"}
_PUTTY_SAYS = {DEVICE: b"\x1b[?6c", CURSOR_IS: b"\x1b[2;1R"}
_WINDOWS_SAYS = {
    DEVICE: b"\x1b[?61;4;6;7;14;21;22;23;24;28;32;42;52c",
    CURSOR_IS: b"\x1b[2;1R",
    SGR_IS: b"\x1bP1$r0;48:2::1:2:3m\x1b\\",
    SYNCHRONISED_KNOWN: b"\x1b[?2026;2$y",
    IN_BAND_KNOWN: b"\x1b[?2048;0$y",
}
_WINDOWS_EDITING = _EDITING | {"home": b"\x1b[H", "end": b"\x1b[F"}

PUTTY = Habits(
    "putty",
    {"TERM": "xterm", "COLORTERM": ""},
    _PUTTY_SAYS,
    _PUTTY_EDITING | {"f2": b"\x1b[12~", "f3": b"\x1b[13~"},
)
PUTTY_XTERM_KEYS = Habits(
    "putty-xterm-keys",
    {"TERM": "putty-256color", "COLORTERM": ""},
    _PUTTY_SAYS,
    _PUTTY_EDITING | {"f2": b"\x1bOQ", "f3": b"\x1bOR"},
)
WINDOWS = Habits(
    "windows-terminal",
    {"TERM": "xterm-256color", "COLORTERM": ""},
    _WINDOWS_SAYS,
    _WINDOWS_EDITING | _PLAIN | {"f2": b"\x1bOQ", "f3": b"\x1bOR", "ctrl+down": b"\x1b[1;5B"},
)
WINDOWS_KITTY_KEYS = Habits(
    "windows-terminal-kitty-keys",
    {"TERM": "xterm-256color", "COLORTERM": ""},
    _WINDOWS_SAYS,
    _WINDOWS_EDITING
    | {"escape": b"\x1b[27u", "enter": b"\x1b[13u", "backspace": b"\x1b[127u", "f2": b"\x1b[Q", "f3": b"\x1b[13~"}
    | {"ctrl+q": b"\x1b[57442;5u\x1b[113;5u", "ctrl+p": b"\x1b[57442;5u\x1b[112;5u", "ctrl+down": b"\x1b[1;5B"},
    all_keys_escaped=True,
)
ALL = (PUTTY, PUTTY_XTERM_KEYS, WINDOWS, WINDOWS_KITTY_KEYS)
