"""The health checks, one file each. A new one joins KINDS, and has its keyword, schedule, status and metrics from that."""

from __future__ import annotations

from lvsd.check.probe import Check

from .declared import BfdCheck, DnsCheck, FileCheck, PingCheck, SmtpCheck, UdpCheck
from .http import HttpGet, SslGet
from .misc import MiscCheck
from .tcp import TcpCheck

KINDS: tuple[type[Check], ...] = (TcpCheck, HttpGet, SslGet, MiscCheck)
NOT_RUN_YET: tuple[type, ...] = (SmtpCheck, DnsCheck, UdpCheck, PingCheck, BfdCheck, FileCheck)
