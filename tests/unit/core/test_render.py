from __future__ import annotations

import pytest

from lvsd.core.render import cell, code, names, render, text, troff


def test_a_pipe_ends_no_cell_of_a_table() -> None:
    assert cell("on|off\n  or <none>") == r"on\|off or &lt;none>"
    assert code("IP|HOST [PORT]") == r"`IP\|HOST [PORT]`"
    assert text("a|b <c>") == "a|b &lt;c>"


def test_emphasis_and_nothing_are_no_code() -> None:
    assert code("*required*") == "*required*"
    assert code("") == ""
    assert names(["a", "b"]) == "`a`, `b`"


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("sh-port", r"sh\-port"),
        (r"\# is kept", r"\e# is kept"),
        (".conf first\n'quoted'", "\\&.conf first\n\\&'quoted'"),
        ("write `state BACKUP`", r"write \fBstate BACKUP\fR"),
    ],
)
def test_text_of_a_man_page_is_no_request(plain: str, escaped: str) -> None:
    assert troff(plain) == escaped


def test_a_template_is_not_filled_with_what_is_missing() -> None:
    with pytest.raises(Exception, match="'lvsd' is undefined"):
        render("lvsd.service", configuration="/etc/lvsd/lvs.conf")
