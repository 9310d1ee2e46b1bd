"""Services for the tests of this folder, read by the real language, so that inheritance and defaults are the real ones."""

from __future__ import annotations

from lvsd.check.farm import Farm
from lvsd.check.inherit import Asked, Resolved, resolve
from lvsd.check.override import Overrides
from lvsd.check.probe import Layer, Outcome
from lvsd.check.service import ServiceState
from lvsd.check.settings import CheckSettings
from lvsd.core.config import load

OK = Outcome(True, Layer.L4, "connection taken", 0.001)
BAD = Outcome(False, Layer.L4, "connection refused", 0.001)
VOID = Outcome(False, Layer.SOCKET, "too many open files", 0.0, void=True)


def settings(text: str) -> CheckSettings:
    loaded = load("/test.conf", lambda path: text.encode())
    assert loaded.config is not None, loaded.diagnostics
    return loaded.config.check_part()


def resolved(text: str) -> Resolved:
    return resolve(settings(text))


def farm(text: str, now: float = 0.0) -> Farm:
    made = Farm()
    made.reconfigure(resolved(text), Overrides(), now)
    return made


def service(made: Farm, number: int = 0) -> ServiceState:
    return list(made.services.values())[number]


def asked(made: Farm, address: str) -> Asked:
    return next(key for key in made.healths if str(key.target.address) == address)


def web(*servers: str, more: str = "", checks: str = "TCP_CHECK {\n }") -> str:
    """A TCP service 192.0.2.1:80 with weight 1 servers of the given last octets ("1 weight 3" sets one)."""
    blocks = ""
    for server in servers:
        octet, _, rest = server.partition(" ")
        blocks += f"  real_server 10.0.0.{octet} 80 {{\n   {rest}\n   {checks}\n  }}\n"
    return f"virtual_server 192.0.2.1 80 {{\n  protocol TCP\n  lb_algo wrr\n  lb_kind NAT\n  {more}\n{blocks}}}\n"
