"""What of keepalived's language is not obeyed yet: the list may only shrink."""

from __future__ import annotations

from lvsd.core.conf.keyword import declaration, keywords, reachable
from lvsd.core.root import Root
from lvsd.core.unobeyed import UNOBEYED

NOT_DECLARED, NOT_OBEYED = 116, 56
"""Lower them as keywords come to be declared and obeyed; they never rise."""


def test_the_list_of_what_is_not_obeyed_only_shrinks() -> None:
    declared = [keyword for kind in reachable(Root) for keyword in dict(keywords(kind).values()).values()]
    assert sum(map(len, UNOBEYED.values())) == NOT_DECLARED
    assert sum(not each.obeyed for each in declared) == NOT_OBEYED


def test_no_keyword_is_both_declared_and_on_the_list() -> None:
    tables = {declaration(kind).name: set(keywords(kind)) for kind in reachable(Root)}
    assert set(UNOBEYED) <= set(tables)
    for block, words in UNOBEYED.items():
        assert not words & tables[block], block
