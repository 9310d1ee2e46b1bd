from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from lvsd.core.documents import DOCS, documents, of_language, stale
from tests.unit.core.conf.toy import Store


def test_the_documents_that_are_committed_are_those_derived() -> None:
    assert stale(documents(), DOCS) == [], "run `make docs`"


def test_what_is_missing_differs_or_is_derived_no_more_is_stale(tmp_path: Path) -> None:
    (tmp_path / "man").mkdir()
    for name, text in (("man/same", "a"), ("man/other", "b"), ("man/left", "c"), ("by-hand.md", "d")):
        (tmp_path / name).write_text(text)
    assert stale({"man/same": "a", "man/other": "B", "man/new": "e"}, tmp_path) == [
        "man/left",
        "man/new",
        "man/other",
    ]


def test_a_page_says_all_that_is_declared() -> None:
    pages = of_language(Store)
    page = pages["configuration/box.md"]
    assert page.startswith("# box\n\nA box.\n\n    box WORD { ... }\n\n`WORD`: What is written on it.\n")
    assert "Stands in [the outermost level](index.md)." in page
    assert "| `size` | `N` | *required* | 1 to 9 | Its size. |" in page
    assert "| `weight` | `N` | `1` | 0 or more | Its weight. Also written `mass`. |" in page
    assert "| `colour` | `WORD` |  |  | Not painted yet. **Not obeyed yet.** |" in page
    assert "Deprecated: boxes do not age." in page
    assert "| [`lid`](lid.md) | `{ ... }` | How the box is closed. |" in page
    assert "Stands in [`box`](box.md)." in pages["configuration/lid.md"]
    assert "| *entry* | `N` |  | 0 to 99 | One a line. |" in pages["configuration/list.md"]
    assert "- [`box`](box.md): A box.\n  - [`lid`](lid.md): How the box is closed." in pages["configuration/index.md"]


def test_links_of_the_pages_lead_somewhere() -> None:
    for path in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]:
        text = path.read_text()
        anchors = set(re.findall(r"(?m)^#+ (\S+)$", text))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, anchor = target.partition("#")
            if not target.startswith("http"):
                assert (path.parent / file).exists(), f"{path}: {target}"
            if not file:
                assert anchor in anchors, f"{path}: {target}"


def test_rows_of_tables_have_the_cells_of_their_head() -> None:
    for path in (DOCS / "configuration").glob("*.md"):
        cells = 0
        for line in path.read_text().splitlines():
            if not line.startswith("|"):
                cells = 0
                continue
            count = len(re.findall(r"(?<!\\)\|", line))
            assert cells in (0, count), f"{path}: {line}"
            cells = count


def test_no_line_of_a_man_page_is_taken_for_a_request() -> None:
    for name in ("man/lvs.conf.5", "man/lvsd.8"):
        requests = {line.split()[0] for line in documents()[name].splitlines() if line.startswith((".", "'"))}
        assert requests <= {'.\\"', ".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".BR", ".I", ".RI", ".br", ".RS", ".RE"}
    assert r"vrrp_instance WORD" in documents()["man/lvs.conf.5"]
    assert r"\fBsh\-port\fR" in documents()["man/lvs.conf.5"]


@pytest.mark.parametrize(
    ("words", "wanted", "unwanted"),
    [
        (["lvsd", "expl"], {"explain"}, {"validate"}),
        (["lvsd", ""], {"validate", "status", "--config"}, set()),
        (["lvsd", "explain", "advert"], {"advert_int", "advert-interval"}, {"nopreempt"}),
        (["lvsd", "explain", "unknown-"], {"unknown-keyword"}, set()),
        (["lvsd", "dump", "--j"], {"--json"}, {"--no-dropins"}),
        (["lvsd", "-t", "-c", "READ"], {"README.md"}, set()),
        (["lvsd", "-t", "--j"], {"--json"}, set()),
        (["lvsd", "validate", "READ"], {"README.md"}, set()),
    ],
)
def test_bash_completes(words: list[str], wanted: set[str], unwanted: set[str]) -> None:
    script = 'source docs/completion/lvsd.bash; COMP_CWORD=$(($# - 1)); COMP_WORDS=("$@"); _lvsd; echo ${COMPREPLY[@]}'
    told = subprocess.run(["bash", "-c", script, "bash", *words], cwd=DOCS.parent, capture_output=True, text=True)
    assert told.stderr == ""
    offered = set(told.stdout.split())
    assert wanted <= offered
    assert not unwanted & offered


def test_an_editor_is_told_keywords_values_and_where_a_block_leads() -> None:
    told = json.loads(documents()["completion/lvs.conf.json"])
    instance = told["vrrp_instance"]["keywords"]
    assert instance["state"]["values"] == ["MASTER", "BACKUP"]
    assert instance["advert_int"]["form"] == "SECONDS"
    assert told[instance["authentication"]["opens"]]["name"] == "authentication"
    assert told["virtual_server_group"]["entry"].startswith("IP|RANGE")


def test_the_words_of_a_line_of_options_are_listed_once_for_all_keywords_that_have_them() -> None:
    page = documents()["configuration/vrrp_instance.md"]
    assert "\n### Lines of `virtual_ipaddress`, `virtual_ipaddress_excluded`\n" in page
    assert "\n### Lines of `virtual_routes`\n" in page
    told = json.loads(documents()["completion/lvs.conf.json"])
    assert "dev" in told["vrrp_instance"]["keywords"]["virtual_ipaddress"]["options"]
