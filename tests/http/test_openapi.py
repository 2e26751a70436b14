"""/openapi.json is whole: references, names, ways to be allowed, and every example by its schema."""

import collections

import pytest

import described


@pytest.fixture(scope="module")
def document(server):
    return server.get("/openapi.json", key=None).json()


def nodes(value, place=""):
    """Every object and list of the document, each with its place; of examples only the outermost."""
    yield place, value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in items:
        if isinstance(inner, (dict, list)) and name not in ("example", "examples", "default", "enum"):
            yield from nodes(inner, f"{place}/{name}")


def examples(document):
    """Every example and default: place, schema, value."""
    for place, node in nodes(document):
        # These two are maps, in which `default` is a name like any other.
        if not isinstance(node, dict) or place.endswith(("/properties", "/responses")):
            continue
        # Beside the example where it is one of a parameter or body, around it in a schema.
        schema = node.get("schema", node)
        for name in ("example", "default"):
            if name in node:
                yield place, schema, node[name]
        assert "examples" not in node, f"{place}: `example` is the one that is looked at here"


def test_references_lead_somewhere_and_nothing_is_left_empty(document):
    resolve = described.Description(document).resolve
    references = 0
    for place, node in nodes(document):
        if isinstance(node, dict):
            assert None not in node.values(), f"{place} has a member without a value: {node}"
            if "$ref" in node:
                references += 1
                assert resolve(node), place
    assert references > 300


def test_names_stand_once(document):
    """Generators give types and functions these names, in one space for all of them."""
    ids = collections.Counter(node["operationId"] for _, node in nodes(document["paths"])
                              if isinstance(node, dict) and "operationId" in node)
    components = collections.Counter(name for kind, group in document["components"].items()
                                     if kind != "securitySchemes" for name in group)
    assert len(ids) > 60 and len(components) > 70
    assert set(ids.values()) == set(components.values()) == {1}, (ids, components)


def test_every_operation_says_how_to_be_allowed_and_how_it_refuses(document):
    schemes = document["components"]["securitySchemes"]
    assert (schemes["api_key"]["type"], schemes["api_key"]["name"]) == ("apiKey", "X-API-Key")
    assert (schemes["player_token"]["type"], schemes["player_token"]["scheme"]) == ("http", "bearer")
    resolve = described.Description(document).resolve
    for place, row in nodes(document["paths"]):
        if not isinstance(row, dict) or "operationId" not in row:
            continue
        ways = row.get("security", document["security"])
        named = {name for way in ways for name in way}
        assert named <= set(schemes), place
        assert ("api_key" in named) == (row["x-scope"] != "none"), place
        assert ("player_token" in named) == ("x-player" in row), place
        needs_none = row.get("x-public") or row.get("x-player") == "optional" or \
            not (named or "x-player" in row)
        assert (not ways or {} in ways) == bool(needs_none), place
        refusal = resolve(row["responses"]["default"])
        assert list(refusal["content"]) == ["application/problem+json"], place


def test_every_example_and_default_fits_its_schema(document):
    description = described.Description(document)
    tried = 0
    for place, schema, value in examples(document):
        tried += 1
        wrong = description.misfits(schema, value)
        assert not wrong, f"{place}: {value}: {wrong}"
    assert tried > 130


def test_an_example_of_a_refusal_has_its_status(document):
    resolve = described.Description(document).resolve
    tried = 0
    for place, row in nodes(document["paths"]):
        for status, response in (row.get("responses", {}) if isinstance(row, dict) else {}).items():
            for kind, content in resolve(response).get("content", {}).items():
                if kind == "application/problem+json" and "example" in content:
                    tried += 1
                    assert str(content["example"]["status"]) == status, place
    assert tried > 30
