"""The rules across statements, one file a subject. Importing a file declares its rules; `RULES` holds them all."""

from __future__ import annotations

from . import globals, names, own, services, trackers, vrrp
from .common import RULES

__all__ = ["RULES", "globals", "names", "own", "services", "trackers", "vrrp"]
