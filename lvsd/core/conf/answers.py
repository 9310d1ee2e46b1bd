"""Readers of what a health check says and of what an answer must be: status codes, digests, regular expressions, bytes.
Each gives a value or raises Unreadable with a sentence; none knows a keyword."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .keyword import Reader, Unreadable
from .readers import UNSIGNED, read_integer
from .types import BytePattern, FileWeight, StatusRange
from .words import join_script

STATUS_LEAST, STATUS_MOST = 100, 999


def _read_status_codes(words: Sequence[str]) -> tuple[StatusRange, ...]:
    ranges = []
    for index, each in enumerate(words):
        for part in filter(None, each.split(",")):
            start, dash, end = part.partition("-")
            first = read_integer(start, STATUS_LEAST, STATUS_MOST, index)
            last = read_integer(end, STATUS_LEAST, STATUS_MOST, index) if dash else first
            if last < first:
                raise Unreadable(f"'{part}' is no range: its end lies before its start", index)
            ranges.append(StatusRange(first, last))
    return tuple(ranges)


status_codes: Reader[tuple[StatusRange, ...]] = Reader(
    form="CODE[-CODE] ...",
    read=_read_status_codes,
    write=lambda value: " ".join(
        str(each.first) if each.first == each.last else f"{each.first}-{each.last}" for each in value
    ),
    schema={"type": "array", "items": {"type": "string"}},
    limits=f"{STATUS_LEAST} to {STATUS_MOST}",
    most=None,
)


def _read_digest(words: Sequence[str]) -> str:
    if not re.fullmatch("[0-9a-fA-F]{32}", words[0]):
        raise Unreadable(f"'{words[0]}' is no MD5 digest, which has 32 hexadecimal digits")
    return words[0].lower()


md5_digest: Reader[str] = Reader(
    form="MD5", read=_read_digest, write=str, schema={"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}
)


_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")


def _read_regex(words: Sequence[str]) -> str:
    """keepalived matches with PCRE2, lvsd with Python's re. What Python would read as something else is refused."""
    if found := _POSIX_CLASS.search(words[0]):
        raise Unreadable(f"'{found[0]}' is a class of PCRE2 that lvsd does not know", hint="write it out, as in [0-9]")
    try:
        re.compile(words[0])
    except re.error as error:
        raise Unreadable(f"'{words[0]}' is no regular expression that Python's re takes: {error}") from None
    return words[0]


regex: Reader[str] = Reader(
    form="REGEX",
    read=_read_regex,
    write=lambda value: join_script([value]),
    schema={"type": "string", "format": "regex"},
    script=True,
)

REGEX_OPTIONS = (
    "allow_empty_class",
    "alt_bsux",
    "auto_callout",
    "caseless",
    "dollar_endonly",
    "dotall",
    "dupnames",
    "extended",
    "firstline",
    "match_unset_backref",
    "multiline",
    "never_ucp",
    "never_utf",
    "no_auto_capture",
    "no_auto_possess",
    "no_dotstar_anchor",
    "no_start_optimize",
    "ucp",
    "ungreedy",
    "utf",
    "never_backslash_c",
    "alt_circumflex",
    "alt_verbnames",
    "use_offset_limit",
)
REGEX_OPTIONS_IGNORED = frozenset(
    (
        "allow_empty_class",
        "alt_bsux",
        "alt_circumflex",
        "dollar_endonly",
        "dupnames",
        "firstline",
        "match_unset_backref",
        "ucp",
        "utf",
    )
)
"""Those that change what is matched and that Python's re does not have. Of the others, four act, and the rest only changes
how PCRE2 works."""


def _read_regex_options(words: Sequence[str]) -> tuple[str, ...]:
    for index, each in enumerate(words):
        if each not in REGEX_OPTIONS:
            raise Unreadable(f"'{each}' is no option of a regular expression", index, REGEX_OPTIONS)
    return tuple(words)


regex_options: Reader[tuple[str, ...]] = Reader(
    form="OPTION ...",
    read=_read_regex_options,
    write=" ".join,
    schema={"type": "array", "items": {"enum": list(REGEX_OPTIONS)}},
    limits="the names of PCRE2's options",
    most=None,
)


def _read_regex_stack(words: Sequence[str]) -> tuple[int, int]:
    start, most = (read_integer(each, 1, UNSIGNED, index) for index, each in enumerate(words))
    if most < start:
        raise Unreadable(f"{most} is less than the {start} to begin with", 1)
    return start, most


regex_stack: Reader[tuple[int, int]] = Reader(
    form="START MAX",
    read=_read_regex_stack,
    write=lambda value: " ".join(map(str, value)),
    schema={"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2},
    limits="bytes",
    least=2,
    most=2,
)


# --- bytes

_NIBBLES = re.compile("..?")
_ANY = "xX"


def _pattern(words: Sequence[str], wild: str = "") -> BytePattern:
    """Each word is cut into pairs of digits; one that is left over is a byte of its own."""
    data, mask = bytearray(), bytearray()
    for index, each in enumerate(words):
        if not re.fullmatch(f"[0-9a-fA-F{wild}]+", each):
            raise Unreadable(f"'{each}' is not made of hexadecimal digits" + (" and X" if wild else ""), index)
        for nibbles in _NIBBLES.findall(each):
            data.append(int(re.sub("[xX]", "0", nibbles), 16))
            mask.append(int(re.sub("[0-9a-fA-F]", "f", nibbles.rjust(2, "0")).translate({120: "0", 88: "0"}), 16))
    return BytePattern(bytes(data), bytes(mask))


def _write_pattern(value: BytePattern) -> str:
    digits = zip(value.data.hex(), value.mask.hex(), strict=True)
    return "".join(digit if mask == "f" else "X" for digit, mask in digits)


payload: Reader[bytes] = Reader(
    form="HEX ...",
    read=lambda words: _pattern(words).data,
    write=bytes.hex,
    schema={"type": "string"},
    most=None,
)
reply: Reader[BytePattern] = Reader(
    form="[HEX ...]",
    read=lambda words: _pattern(words, _ANY),
    write=_write_pattern,
    schema={"type": "string"},
    limits="X stands for any digit; any reply will do without an argument",
    least=0,
    most=None,
)


# --- tracked files

FACTOR_MOST = 2**31 - 1


def _read_file_weight(words: Sequence[str]) -> FileWeight:
    if len(words) > 1 and words[1] not in ("reverse", "noreverse"):
        raise Unreadable(f"'{words[1]}' is not allowed here", 1, ("reverse", "noreverse"))
    return FileWeight(read_integer(words[0], -FACTOR_MOST, FACTOR_MOST), "reverse" in words[1:])


file_weight: Reader[FileWeight] = Reader(
    form="N [reverse]",
    read=_read_file_weight,
    write=lambda value: f"{value.factor} reverse" if value.reverse else str(value.factor),
    schema={"type": "string"},
    limits=f"{-FACTOR_MOST} to {FACTOR_MOST}",
    most=2,
)
