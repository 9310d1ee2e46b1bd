from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import codes


def checked(check: str, service: str = "protocol TCP", header: str = "192.0.2.1 80", port: str = "80") -> str:
    return f"virtual_server {header} {{\n{service}\nreal_server 192.0.2.2 {port} {{\n{check}\n}}\n}}\n"


def http(*words: str, kind: str = "HTTP_GET", url: str = "path /") -> str:
    lines = "\n".join((*words, "url {", url, "}"))
    return checked(f"{kind} {{\n{lines}\n}}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (checked("TCP_CHECK { }", header="fwmark 1", port=""), ["check-without-port"]),
        (checked("TCP_CHECK { connect_port 80 }", header="fwmark 1", port=""), []),
        ("virtual_server_group G { 192.0.2.1 80 }\n" + checked("TCP_CHECK { }", header="group G", port=""), []),
        (
            "virtual_server_group G { fwmark 1 }\n" + checked("TCP_CHECK { }", header="group G", port=""),
            ["check-without-port"],
        ),
        (checked("TCP_CHECK { }", header="fwmark 1"), []),
        (checked("TCP_CHECK { }", port=""), []),
        (checked("MISC_CHECK { misc_path /bin/true }", header="fwmark 1", port=""), []),
        (checked("PING_CHECK { }", header="fwmark 1", port=""), ["not-obeyed"]),
        (checked("TCP_CHECK { }", ""), ["no-protocol"]),
        (checked("TCP_CHECK { }\nTCP_CHECK { }", ""), ["no-protocol"]),
        (checked("SMTP_CHECK { }", ""), ["no-protocol", "not-obeyed"]),
        (checked("TCP_CHECK { connect_port 80 }", ""), []),
        (checked("TCP_CHECK { }", "protocol UDP"), []),
        (checked("TCP_CHECK { }", "", header="fwmark 1"), []),
        (checked("UDP_CHECK { }", ""), ["not-obeyed"]),
    ],
)
def test_a_check_asks_where_the_service_is(text: str, found: list[str]) -> None:
    assert codes(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (http("enable_sni", "sni_name a.example"), ["tls-words"] * 2),
        (http("tls_compliant", url="tls_compliant"), ["tls-words"] * 2),
        (http("enable_sni", "sni_name a.example", "tls_compliant", kind="SSL_GET", url="tls_compliant"), []),
        (http("enable_sni", kind="SSL_GET"), ["sni-without-name"]),
        (http("enable_sni", "virtualhost a.example", kind="SSL_GET"), []),
        (http("enable_sni", kind="SSL_GET", url="virtualhost a.example"), []),
        (http("enable_sni", "url {", "virtualhost a.example", "}", kind="SSL_GET"), ["sni-without-name"]),
        (checked("virtualhost a.example\nSSL_GET {\nenable_sni\nurl { }\n}"), []),
        (checked("SSL_GET {\nenable_sni\nurl { }\n}", "protocol TCP\nvirtualhost a.example"), []),
    ],
)
def test_words_of_tls_stand_where_there_is_tls(text: str, found: list[str]) -> None:
    assert codes(text) == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("regex_no_match\nregex_options caseless\nregex_min_offset 9\nregex_max_offset 4\nregex_stack 1 2", ["no-regex"] * 5),
        ("regex ok\nregex_no_match\nregex_options caseless ungreedy\nregex_min_offset 4\nregex_max_offset 9", []),
        ("regex ok\nregex_options caseless utf", ["regex-option"]),
        ("regex ok\ndigest 9b3a0c85a887a256d6939da88aabd8cd", []),
        ("regex ok\nregex_min_offset 9", []),
        ("regex ok\nregex_min_offset 9\nregex_max_offset 9", ["regex-offsets"]),
        ("regex ok\nregex_min_offset 9\nregex_max_offset 4", ["regex-offsets"]),
    ],
)  # fmt: skip
def test_a_regular_expression_is_there_and_can_match(url: str, found: list[str]) -> None:
    assert codes(http(url=url)) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("min_reply_length 9\nmax_reply_length 9", []),
        ("min_reply_length 9\nmax_reply_length 8", ["reply-length"]),
        ("min_reply_length 256", ["reply-length"]),
    ],
)
def test_a_reply_can_have_a_length(words: str, found: list[str]) -> None:
    assert codes(checked(f"UDP_CHECK {{\n{words}\n}}")) == ["not-obeyed", *found]
