from __future__ import annotations

from typing import Any

import pytest

from lvsd.core.conf.keyword import Unreadable
from lvsd.core.conf.line import Misfit, first, line, line_reader, option, options_of, pair, part
from lvsd.core.conf.readers import flag, integer, one_of, secret, word
from lvsd.core.conf.routes import masked_mark
from lvsd.core.conf.types import Secret


@line("a topping", "What lies on it.")
class Topping:
    name: str = first(word, "What it is.")
    grams: int = option(integer(1, 100), "How much of it.", default=10)
    hot: bool = option(flag, "It is hot.", default=False)


@line("a pizza", "An order.")
class Pizza:
    table: int = first(integer(1, 99), "Where it goes.", name="to")
    size: str = option(one_of({"small": "s", "large": "l"}), "How large.", default="s", bare=True)
    drink: str = option(word, "With it.", default="", name="with", aliases=("and",), lead=("a", "some"))
    dough: Topping | None = part(Topping, "What it is made of.", default=None)
    topping: tuple[Topping, ...] = part(Topping, "What lies on it.", default=())

    def check(self) -> None:
        if self.drink == "milk" and self.topping:
            raise Misfit("drink", "nobody has milk with that")
        if self.size == "l" and self.table == 13:
            raise Misfit("size", "table 13 is small")


@line("a pass", "Who may come in.")
class Pass:
    number: int = first(integer(1, 9), "Its number.")
    word: Secret = first(secret, "Its word.")


@line("a seat", "Where one sits.")
class Seat:
    name: str = first(word, "Its name.", default="")
    row: int = first(integer(1, 99), "Its row.", default=0)


@line("a mark", "A mark of two numbers.")
class Mark:
    mark: Any = pair(one_of({"a": (1, 2), "b": (3, 4)}), "Both.", also="mask")
    mask: int
    other: str = option(word, "Something else.", default="", name="-x")


pizza = line_reader(Pizza)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", Pizza(5)),
        ("large 5", Pizza(5, "l")),
        ("with beer 5 large", Pizza(5, "l", "beer")),
        ("to 5 and a beer", Pizza(5, drink="beer")),
        ("5 with small", Pizza(5, drink="small")),
        ("5 topping ham topping egg hot grams 3 with beer", Pizza(5, "s", "beer", None, (Topping("ham"), Topping("egg", 3, True)))),
        ("5 dough rye grams 90 topping ham", Pizza(5, dough=Topping("rye", 90), topping=(Topping("ham"),))),
    ],
)  # fmt: skip
def test_words_stand_in_any_order_and_are_written_back(text: str, value: Pizza) -> None:
    assert pizza.read(text.split()) == value
    assert pizza.read(pizza.write(value).split()) == value


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [
        ("five", 0, "not a whole number"),
        ("100", 0, "1 to 99"),
        ("5 6", 1, "'6' is no option of a pizza"),
        ("large", 0, "N is missing in a pizza"),
        ("5 with", 1, "'with' needs a value"),
        ("5 with a", 2, "'a' needs a value"),
        ("5 topping ham grams 0", 4, "1 to 100"),
        ("5 topping ham gram 3", 3, "'gram' is no option of a pizza"),
        ("5 topping", 1, "WORD is missing in a topping"),
        ("5 with some milk topping ham", 2, "milk"),
        ("large 13", 0, "table 13"),
    ],
)
def test_an_error_names_its_word(text: str, word: int, message: str) -> None:
    with pytest.raises(Unreadable, match=message) as caught:
        pizza.read(text.split())
    assert caught.value.word == word


def test_an_unknown_word_is_answered_with_all_that_may_stand() -> None:
    with pytest.raises(Unreadable) as caught:
        pizza.read(["5", "wiht", "beer"])
    assert caught.value.allowed == ("to", "with", "and", "dough", "topping", "small", "large")


def test_of_the_values_that_may_be_missing_the_pickiest_is_asked_first() -> None:
    seat = line_reader(Seat)
    for text, value in (
        ("", Seat()),
        ("7", Seat("", 7)),
        ("A", Seat("A")),
        ("7 A", Seat("A", 7)),
        ("A 7", Seat("A", 7)),
    ):
        assert seat.read(text.split()) == value
        assert seat.read(seat.write(value).split()) == value
    with pytest.raises(Unreadable, match="no option of a seat"):
        seat.read(["A", "7", "B"])


def test_a_pair_fills_two_fields() -> None:
    mark = line_reader(Mark)
    assert mark.read(["b", "-x", "y"]) == Mark(3, 4, "y")
    assert mark.write(Mark(3, 4, "y")) == "b -x y"


def test_a_line_with_a_secret_shows_no_word_of_it() -> None:
    reader = line_reader(Pass)
    assert reader.secret
    assert (reader.least, reader.most) == (2, 2)
    assert reader.write(Pass(1, Secret("hush"))) == "1 ***"
    with pytest.raises(Unreadable) as caught:
        reader.read(["hush", "1"])
    assert "hush" not in caught.value.message
    assert "(1 to 9)" in caught.value.message


def test_a_field_can_be_left_out_of_a_reader() -> None:
    reader = line_reader(Pizza, without=("dough", "topping"))
    assert reader.form == "[small|large] [to] N [with [a|some] WORD]"
    with pytest.raises(Unreadable, match="no option"):
        reader.read(["5", "topping", "ham"])


def test_the_form_and_the_options_are_derived() -> None:
    assert line_reader(Topping).form == "WORD [grams N] [hot]"
    assert [tuple(each) for each in options_of(Topping)] == [
        ("", "WORD", "", "What it is."),
        ("grams", "N", "10", "How much of it."),
        ("hot", "", "off", "It is hot."),
    ]
    rows = {each.word: each for each in options_of(Pizza)}
    assert rows["with"].doc == "With it. Also written `and`."
    assert rows["topping grams"].default == "10"
    assert pizza.line == (Pizza, ())


def test_readers_of_lines_take_any_number_of_words() -> None:
    assert pizza.most is None
    assert pizza.least == 1
    assert masked_mark.most == 1
