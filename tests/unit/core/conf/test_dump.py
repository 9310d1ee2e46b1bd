from __future__ import annotations

from lvsd.core.conf.dump import dump
from tests.unit.core.conf.test_bind import WHOLE
from tests.unit.core.conf.toy import Read


def test_a_dump_is_read_back_as_the_same_values_but_for_secrets() -> None:
    text = dump(Read(WHOLE).store)
    again = Read(text)
    assert not again.headlines
    assert dump(again.store) == text
    assert "hush" not in text
    assert again.store.settings == Read(WHOLE).store.settings
    assert again.store.lists == Read(WHOLE).store.lists


def test_what_is_at_its_default_is_left_out() -> None:
    assert (
        dump(Read("box a {\n size 1\n weight 1\n lid { tight on }\n}").store)
        == "box a {\n    size 1\n    lid {\n    }\n}\n"
    )
