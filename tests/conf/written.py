"""What a reader of values may be given, as text: drawn from its schema, its form in the reference, or one line of READERS."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lvsd.core.conf import values
from lvsd.core.conf.keyword import Reader, Unreadable
from lvsd.core.conf.line import options_of
from lvsd.core.conf.values import Secret
from lvsd.core.conf.words import TokenError, join_script, split_plain, split_script

MANY = "[OPTION ...]"
SECRET = "t0p-s3cret"
POOL = 60  # values of a reader that is known by its form alone

# A double quote and a dollar sign cannot be written in every place, so that nothing read holds one.
plain = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters='"$'), min_size=1, max_size=15
)
spaced = st.lists(plain, min_size=1, max_size=3).map(" ".join)
shell = st.text(st.characters(codec="ascii", min_codepoint=32, exclude_characters="$\x7f"), max_size=15)
user = st.sampled_from(["", "nobody", "a user"])

READERS: dict[int, SearchStrategy[Any]] = {
    id(reader): strategy
    for reader, strategy in (
        (values.word, plain),
        (values.text, spaced),
        (values.secret, st.just(Secret(""))),
        (values.interface, st.from_regex(r"[a-z][a-z0-9.@_-]{0,14}", fullmatch=True)),
        (values.regex_stack, st.sampled_from([(10, 20), (1, 100)])),
        (values.umask, st.sampled_from([0o22, 0o77, 0o177])),
        (values.link_delay, st.sampled_from([values.link_delay.read(["eth0", *each]) for each in (["5"], ["5", "9"])])),
        (values.ip, st.ip_addresses()),
        (values.ipv4, st.ip_addresses(v=4)),
        (values.ipv6, st.ip_addresses(v=6)),
        (
            values.command,
            st.builds(lambda rest, user: values.Command(("/bin/x", *rest), user), st.lists(shell, max_size=3), user),
        ),
        (values.regex, st.sampled_from(["", "ok", "a b", "[0-9]+\\.", 'say "yes"', "it's|$x", "^#!{1,2}$", "\\\\"])),
    )
}
"""Readers whose values are wider than their form tells, or that read a line of their own tokenizer."""

PLACEHOLDERS: dict[str, tuple[str, ...]] = {
    "IP": ("10.0.0.1", "192.0.2.255", "::1", "2001:db8::10"),
    "IPV4": ("10.0.0.1", "255.255.255.255"),
    "IPV6": ("::", "fe80::1"),
    "HOST": ("mail.example.org", "relay"),
    "RANGE": ("10.0.0.1-9", "2001:db8::10-1f", "10.0.0.250-10.0.1.5"),
    "NETWORK": ("10.0.0.0/24", "2001:db8::/120"),
    "NETMASK": ("255.255.255.0", "255.255.255.255"),
    "PREFIX": ("1", "24", "32", "64", "128"),
    "PORT": ("1", "80", "65535"),
    "N": ("1", "2", "3", "10", "100", "253", "1000"),
    "SECONDS": ("1", "3", "60", "0.5"),
    "CODE": ("100", "200", "301", "999"),
    "HEX": ("0a1b", "FF", "00"),
    "START": ("1024",),
    "MAX": ("4096", "1048576"),
    "MD5": ("0123456789abcdef" * 2, "A" * 32),
    "NAME": ("one", "two words", "global", "eth0.5"),
    "TEXT": ("eth0:1", "words # and more"),
    "USER": ("nobody", "root"),
    "GROUP": ("nogroup",),
    "IF": ("eth0", "eth1.20", "bond0"),
    "INTERFACE": ("eth0", "br-lan"),
    "WORD": ("word",),
    "SECRET": (SECRET,),
    "KEY": (SECRET,),
    "PASSWORD": (SECRET,),
    "TIME": ("200ms", "1s"),
    "REALM": ("1", "web"),
    "MARK": ("0x1", "7"),
    "MASK": ("0xff",),
    "MAC": ("02:00:5e:00:01", "02:00:5e:00:01:33"),
    "PATH": ("/var/x", "/etc/a b/c.d"),
    "URL": ("http://10.0.0.1/alive", "https://host.example/x?y=1"),
    "CPU": ("0", "1", "3"),
    "ID": ("1", "7"),
    "IN": ("INPUT",),
    "OUT": ("OUTPUT",),
    "BYTES": ("1000", "65536"),
    "DOWN": ("1",),
    "UP": ("2",),
    "VALUE": ("0", "-3"),
    "COMMAND": ("/bin/x", "haproxy"),
    "ARGUMENT": ("-a", "b"),
    "INSTANCE": ("VI_1",),
    "CHECK": ("read", "match"),
    "OPTION": ("caseless", "utf"),
}
"""What the words in capitals of a form may stand for."""


class NoStrategy(Exception):
    """A reader for which nothing can be made up."""


def written(reader: Reader[Any]) -> SearchStrategy[Any]:
    """Values that the reader gives. Raises NoStrategy where neither its schema nor its form nor READERS tells any."""
    if id(reader) in READERS:
        return READERS[id(reader)]
    schema = reader.schema
    if schema.get("type") == "boolean":
        return st.just(True) if reader.most == 0 else st.booleans()
    if "enum" in schema:
        return st.sampled_from(
            [reader.read(value.split()) for value in schema["enum"] if _reads(reader, value.split())]
        )
    if schema.get("type") == "integer" and "minimum" in schema:
        return st.integers(schema["minimum"], schema["maximum"])
    if schema.get("type") == "number":
        # As many digits as are read, and no larger than a float keeps them.
        ends = min(schema["maximum"], 10**6)
        return st.integers(round(schema["minimum"] * 10**6), round(ends * 10**6)).map(
            lambda millionths: millionths / 10**6
        )
    pool = values_of_form(reader)
    if not pool:
        raise NoStrategy(f"no value of the form '{reader.form}' can be made up: extend READERS or PLACEHOLDERS")
    return st.sampled_from(pool)


def _reads(reader: Reader[Any], words: list[str]) -> bool:
    try:
        reader.read(words)
    except (Unreadable, IndexError):
        return False
    return True


# --- by the form in the reference


def values_of_form(reader: Reader[Any]) -> list[Any]:
    """Different values read from texts of the reader's form, the same in each run."""
    chance = random.Random(reader.form)
    found: dict[str, Any] = {}
    for _ in range(POOL * 10):
        text = " ".join(_text(_parsed(_form(reader, chance)), chance).split())
        words = _words(reader, text)
        if words is None or len(words) < reader.least or (reader.most is not None and len(words) > reader.most):
            continue
        if _reads(reader, words):
            value = reader.read(words)
            found.setdefault(repr(value), value)
            if len(found) == POOL:
                break
    return list(found.values())


def _form(reader: Reader[Any], chance: random.Random) -> str:
    """The form; that of a line with many options with some of them."""
    if reader.line is None or not reader.form.endswith(MANY):
        return reader.form
    rows = chance.sample(options_of(*reader.line), 3)
    return " ".join([reader.form.removesuffix(MANY), *(f"{each.word} {each.form}" for each in rows)])


def _words(reader: Reader[Any], text: str) -> list[str] | None:
    try:
        return split_script(text) if reader.script else [word for word, _, _ in split_plain(text)]
    except TokenError:
        return None


Node = str | tuple[str, list["Node"]]
_PIECES = re.compile(
    r"(?P<or> \| )|(?P<either>\|)|(?P<many> ?\.\.\.)|(?P<open>\[)|(?P<close>\])|(?P<blank> +)"
    r"|(?P<name>[A-Z][A-Z0-9]*)|(?P<word>[^\s\[\]|]+?(?=[\s\[\]|]|[A-Z]|$))"
)


def _parsed(form: str) -> Node:
    """The form as a tree: `A | B` and `a|b` are choices, `[...]` may be left out, `...` repeats the word before it."""
    found = ((each.lastgroup or "", each.group()) for each in _PIECES.finditer(form))
    return _sequence(iter(found))


def _sequence(pieces: Iterator[tuple[str, str]]) -> Node:
    """Up to the closing bracket."""
    sequences: list[list[Node]] = [[]]
    either = False
    for kind, text in pieces:
        if kind == "close":
            break
        if kind == "or":
            sequences.append([])
            continue
        if kind == "either":
            either = True
            continue
        here = sequences[-1]
        if kind == "many":
            start = max((index + 1 for index, each in enumerate(here) if each == " "), default=0)
            here[start:] = [("many", here[start:])]
            continue
        node: Node = ("optional", [_sequence(pieces)]) if kind == "open" else text if kind != "blank" else " "
        if either and here:
            node = ("choice", [here.pop(), node])
        here.append(node)
        either = False
    return ("choice", [("all", each) for each in sequences])


def _text(node: Node, chance: random.Random) -> str:
    if isinstance(node, str):
        text = chance.choice(PLACEHOLDERS.get(node, (node,)))
        return join_script([text]) if node in PLACEHOLDERS else text
    kind, nodes = node
    if kind == "choice":
        return _text(chance.choice(nodes), chance)
    if kind == "optional" and chance.random() < 0.5:
        return ""
    times = chance.randint(1, 3) if kind == "many" else 1
    return " ".join("".join(_text(each, chance) for each in nodes) for _ in range(times))
