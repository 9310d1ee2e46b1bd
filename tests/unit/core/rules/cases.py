"""How a test of the rules reads a text."""

from __future__ import annotations

from lvsd.core.conf.rules import Finding
from lvsd.core.config import load
from lvsd.core.root import Root
from lvsd.core.rules import RULES

INSTANCE = """
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    %s
    virtual_ipaddress {
        192.0.2.100/24
    }
}
"""


def codes(text: str) -> list[str]:
    """The codes of what is said about the text, in the order of its lines."""
    return [each.code for each in load("lvs.conf", lambda name: text.encode()).diagnostics]


def said(lines: str) -> list[str]:
    """What is said about an instance with these lines, apart from what is not obeyed yet and what it names."""
    return [each for each in codes(INSTANCE % lines) if each not in ("not-obeyed", "unknown-tracker")]


def findings(code: str, root: Root) -> list[Finding]:
    """What one rule says."""
    return list(next(each for each in RULES if each.code == code).check(root))
