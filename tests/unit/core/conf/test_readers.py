from __future__ import annotations

from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from lvsd.core.conf.keyword import Reader, Unreadable
from lvsd.core.conf.readers import (
    boolean,
    choice,
    flag,
    flag_or,
    integer,
    interface,
    ip,
    ipv4,
    ipv6,
    lower_choice,
    one_of,
    port,
    quoted,
    seconds,
    secret,
    text,
    word,
)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("reader", "words", "value"),
    [
        (integer(1, 255), ["255"], 255),
        (integer(-5, 5), ["-5"], -5),
        (integer(-1, 99, bare=99), [], 99),
        (integer(1, 254, bare=0), [], 0),
        (flag_or("never"), [], ""),
        (flag_or("never"), ["never"], "never"),
        (seconds(0), ["1.2345678"], 1.234568),
        (seconds(0), [".5"], 0.5),
        (seconds(0), ["3."], 3.0),
        (boolean, [], True),
        (boolean, ["off"], False),
        (boolean, ["yes"], True),
        (flag, [], True),
        (choice(Colour), ["RED"], Colour.RED),
        (lower_choice(Colour), ["Blue"], Colour.BLUE),
        (one_of({"tcp": 6}, any_case=True), ["TCP"], 6),
        (word, ["x"], "x"),
        (text, ["a b"], "a b"),
        (interface, ["eth0.100"], "eth0.100"),
        (ip, ["::1"], IPv6Address("::1")),
        (ipv4, ["192.0.2.1"], IPv4Address("192.0.2.1")),
        (ipv6, ["ff02::12"], IPv6Address("ff02::12")),
        (port, ["65535"], 65535),
    ],
)
def test_a_reader_takes_what_stands_in_the_reference(reader: Reader[Any], words: list[str], value: object) -> None:
    assert reader.read(words) == value


@pytest.mark.parametrize(
    ("reader", "words", "part"),
    [
        (integer(1, 255), ["0"], "1 to 255"),
        (integer(1, 255), ["0x10"], "not a whole number"),
        (integer(1, 255), ["1\n"], "not a whole number"),
        (integer(1), ["٣"], "not a whole number"),
        (seconds(0.01, 255), ["256"], "0.01 to 255"),
        (seconds(0), ["1e3"], "no time"),
        (seconds(0), ["-1"], "no time"),
        (seconds(0), ["nan"], "no time"),
        (boolean, ["On"], "neither"),
        (choice(Colour), ["red"], "not allowed"),
        (interface, ["a-name-too-long0"], "longer"),
        (interface, ["eth0:1"], "no name"),
        (interface, [".."], "no name"),
        (ip, ["fe80::1%eth0"], "without its interface"),
        (ip, ["192.0.2.01"], "no IP address"),
        (ipv4, ["::1"], "IPv6"),
        (ipv6, ["192.0.2.1"], "IPv4"),
        (port, ["0"], "1 to 65535"),
    ],
)
def test_a_reader_refuses_the_rest_with_a_sentence(reader: Reader[Any], words: list[str], part: str) -> None:
    with pytest.raises(Unreadable, match=part):
        reader.read(words)


def test_a_refused_choice_names_what_is_allowed() -> None:
    with pytest.raises(Unreadable) as caught:
        choice(Colour).read(["GREEN"])
    assert caught.value.allowed == ("RED", "BLUE")


def test_a_secret_is_shown_nowhere() -> None:
    value = secret.read(["hush"])
    assert value.text == "hush"
    assert "hush" not in repr(value) + str(value) + secret.write(value)
    assert secret.secret


@pytest.mark.parametrize(
    ("value", "written"), [(1.0, "1"), (0.25, "0.25"), (1e-6, "0.000001"), (0.0, "0"), (100.0, "100")]
)
def test_seconds_are_written_without_exponent(value: float, written: str) -> None:
    assert seconds(0).write(value) == written


@pytest.mark.parametrize("value", ["plain", "two words", "a#b", "!x", "", "a{b"])
def test_a_quoted_word_is_one_word_again(value: str) -> None:
    from lvsd.core.conf.words import split_plain

    assert [each for each, _, _ in split_plain(quoted(value))] == [value]


def test_a_backslash_is_written_bare_since_it_would_keep_a_quoted_word_open() -> None:
    assert word.write("a\\") == "a\\"
    assert word.write("a b") == '"a b"'
