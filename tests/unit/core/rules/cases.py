"""How a test of the rules reads a text."""

from __future__ import annotations

from lvsd.core.config import load

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
    """What is said about an instance with these lines, apart from what is not obeyed yet."""
    return [each for each in codes(INSTANCE % lines) if each != "not-obeyed"]
