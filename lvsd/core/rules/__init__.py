"""The rules across statements, one file a subject. Importing a file declares its rules; `RULES` holds them all."""

from __future__ import annotations

from . import checks, globals, names, own, services, strict, trackers, tracking, transport, vrrp
from .common import RULES

__all__ = [
    "RULES",
    "checks",
    "globals",
    "names",
    "own",
    "services",
    "strict",
    "trackers",
    "tracking",
    "transport",
    "vrrp",
]
