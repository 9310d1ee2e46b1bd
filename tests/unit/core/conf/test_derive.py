from __future__ import annotations

import json
from pathlib import Path

from lvsd.core.conf.derive import reference, schema
from lvsd.core.root import Root
from tests.unit.core.conf.toy import Store

DOCS = Path(__file__).resolve().parents[4] / "docs"


def test_the_reference_page_that_is_committed_is_the_one_derived() -> None:
    assert (DOCS / "configuration.md").read_text() == reference(Root), "stale: run `make docs`"


def test_the_reference_says_all_that_is_declared() -> None:
    page = reference(Store)
    assert "## box WORD" in page
    assert "| `size` | `N` | *required* | Its size. (1 to 9) |" in page
    assert "| `weight` | `N` | `1` | Its weight. (0 or more) Also written `mass`. |" in page
    assert "| `colour` | `WORD` |  | Not painted yet. **Not obeyed yet.** |" in page
    assert "Deprecated: boxes do not age." in page
    assert "| `lid` | `{ ... }` |  | How the box is closed. |" in page
    assert "Stands in the outermost level." in page
    assert "Stands in `box`." in page
    assert "|  | `N` |  | One a line. (0 to 99) |" in page


def test_the_schema_is_json_and_links_resolve() -> None:
    described = json.loads(json.dumps(schema(Root)))
    links = {part.split('"')[0] for part in json.dumps(described).split("#/$defs/")[1:]}
    assert links <= set(described["$defs"])
    assert described["$defs"]["vrrp_instance"]["required"] == ["name", "interface", "virtual_router_id"]
    assert described["$defs"]["vrrp_instance"]["properties"]["virtual_router_id"]["maximum"] == 255
    assert described["$defs"]["root"]["properties"]["virtual_server"]["type"] == "array"
