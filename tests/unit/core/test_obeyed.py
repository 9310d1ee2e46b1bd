"""What of keepalived's language is read and not obeyed yet: the number may only shrink."""

from __future__ import annotations

from lvsd.core.conf.keyword import keywords, reachable
from lvsd.core.root import Root

NOT_OBEYED = 164
"""Lower it as keywords come to be obeyed; it never rises."""


def test_the_number_of_keywords_that_are_not_obeyed_only_shrinks() -> None:
    declared = [keyword for kind in reachable(Root) for keyword in dict(keywords(kind).values()).values()]
    assert sum(not each.obeyed for each in declared) == NOT_OBEYED
