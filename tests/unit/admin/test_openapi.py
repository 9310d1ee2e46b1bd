"""The description of the API against the declaration of its routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lvsd.admin.api import ROUTES
from lvsd.admin.openapi import document

PAGE: dict[str, Any] = json.loads(json.dumps(document()))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in PAGE["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_route_is_described_once_under_its_own_name() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(names) == sorted(route.name for route in ROUTES)
    assert {(path, method.upper()) for path, method, _ in operations()} == {
        (route.path, route.method) for route in ROUTES
    }


def test_every_reference_leads_somewhere() -> None:
    links = {part.split('"')[0] for part in json.dumps(PAGE).split("#/components/schemas/")[1:]}
    assert links
    assert links <= set(PAGE["components"]["schemas"])


def test_every_part_of_a_path_is_a_required_parameter() -> None:
    for path, _, operation in operations():
        named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert all(each["required"] for each in operation.get("parameters", ()) if each["in"] == "path")


def test_an_order_without_a_required_field_needs_no_body_and_a_weight_does() -> None:
    assert PAGE["paths"]["/v1/servers/{server}/drain"]["post"]["requestBody"]["required"] is False
    assert PAGE["paths"]["/v1/servers/{server}/weight"]["post"]["requestBody"]["required"] is True


def test_errors_are_described_as_errors_and_a_sick_node_as_health() -> None:
    for path, _, operation in operations():
        for status, response in operation["responses"].items():
            if status != "200":
                wanted = "Health" if path in ("/healthz", "/readyz") else "Error"
                link = response["content"]["application/json"]["schema"]["$ref"]
                assert link == f"#/components/schemas/{wanted}", (path, status)


def test_events_are_offered_as_json_with_ids_and_as_a_stream() -> None:
    content = PAGE["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/event-stream"}
    item = content["application/json"]["schema"]["properties"]["events"]["items"]
    assert item["allOf"][1]["required"] == ["id"]
