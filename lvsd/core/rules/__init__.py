"""The rules across statements, one file a subject. Importing a file declares its rules; `RULES` holds them all."""

from __future__ import annotations

from . import checks, names, services, strict, tracking, transport, vrrp
from .common import RULES

__all__ = ["RULES", "checks", "names", "services", "strict", "tracking", "transport", "vrrp"]
