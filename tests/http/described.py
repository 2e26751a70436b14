"""Holds answers to the description of the API: the status is one that the operation names, the media
type is one of that status, and the body fits its schema by a validator of JSON Schema 2020-12.
Strict: an object has no member that its schema does not list, and a time is in UTC.

    description = described.Description(server.get("/openapi.json").json())
    description.check("POST", "/v1/earn", answer)
    description.seen                  # {("earn", 200), ...}
"""

import datetime
import re
import urllib.parse

import jsonschema

# Refusals of nginx itself and of a service in distress: `default` says them of every operation.
EVERYWHERE = {405, 408, 414, 429, 431, 500, 502, 503, 504}
ITEMS_MAX = 500
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# Only these, each checked here: what the installed validator checks depends on packages beside it.
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_moment(value):
    return not isinstance(value, str) or bool(
        MOMENT.fullmatch(value) and datetime.datetime.fromisoformat(value[:19]))


@FORMATS.checks("date", raises=ValueError)
def is_date(value):
    return not isinstance(value, str) or bool(datetime.datetime.strptime(value, "%Y-%m-%d"))


@FORMATS.checks("iri", raises=ValueError)
@FORMATS.checks("uri", raises=ValueError)
def is_uri(value):
    return not isinstance(value, str) or bool(urllib.parse.urlsplit(value).scheme)


@FORMATS.checks("binary")
def is_anything(value):
    return True


def shortened(value):
    """Of a long list some items from all over it: every one of 100,000 takes a minute."""
    if isinstance(value, list):
        return [shortened(item) for item in value[::1 + len(value) // ITEMS_MAX]]
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items()}
    return value


def cause(error):
    """Of a union that does not take the value: what is wrong by the branch that went deepest."""
    while error.context:
        error = max(error.context, key=lambda e: len(e.absolute_path))
    return error


class Description:
    def __init__(self, document):
        self.document = document
        self.seen = set()
        self.closed_refs = {}
        self.validators = {}
        self.patterns = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path)
                         # What is written out wins over what is in braces.
                         for path in sorted(document["paths"], key=lambda path: "{" in path)]

    def resolve(self, node):
        while "$ref" in node:
            found = self.document
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            node = found
        return node

    def operations(self, tag):
        """operationId to its description, of the canonical paths."""
        return {row["operationId"]: row for rows in self.document["paths"].values()
                for row in rows.values() if isinstance(row, dict) and tag in row.get("tags", ())
                and not row["operationId"].endswith("_at_root")}

    def operation(self, method, path):
        """None where the description has nothing at that path."""
        path = path.partition("?")[0]
        for pattern, template in self.patterns:
            if pattern.fullmatch(path):
                word = "get" if method == "HEAD" else method.lower()
                return self.document["paths"][template].get(word)
        return None

    def check(self, method, path, answer):
        row = self.operation(method, path)
        operation, status = row["operationId"].removesuffix("_at_root"), answer.status_code
        said = f"{method} {path}: {status} {answer.text[:300]}"
        responses = row["responses"]
        if str(status) in responses:
            self.seen.add((operation, status))
        else:
            assert status in EVERYWHERE, f"not described: {said}"
        response = self.resolve(responses.get(str(status), responses["default"]))
        for name in response.get("headers", {}):
            assert name in answer.headers or name in ("Link", "Idempotent-Replayed"), said
        content = response.get("content", {})
        if method == "HEAD" or not content:
            assert not answer.content, said
            return
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in content, said
        if kind in ("application/json", "application/problem+json"):
            wrong = self.misfits(content[kind]["schema"], shortened(answer.json()))
            assert not wrong, f"{said}\n{wrong}"

    def check_if_known(self, method, path, answer):
        """Some tests ask for what is not there."""
        if self.operation(method, path):
            self.check(method, path, answer)

    def misfits(self, schema, value):
        """What is wrong with the value by a schema of the document, each with its place."""
        # The document keeps its schemas, so the id of one is never another's.
        validator = self.validators.get(id(schema))
        if not validator:
            validator = jsonschema.Draft202012Validator(self.closed(schema), format_checker=FORMATS)
            self.validators[id(schema)] = validator
        return [f"{e.json_path}: {e.message[:300]}" for e in map(cause, validator.iter_errors(value))]

    def closed(self, schema):
        """The schema with what it refers to in place, in which an object takes no members beside
        those listed.  The parts of allOf become one: none of them alone lists all."""
        if "$ref" in schema:
            if schema["$ref"] not in self.closed_refs:
                self.closed_refs[schema["$ref"]] = self.closed(self.resolve(schema))
            return self.closed_refs[schema["$ref"]]
        assert schema.get("format") in (None, *FORMATS.checkers), schema
        out = dict(schema)
        if "properties" in schema:
            out["properties"] = {name: self.closed(s) for name, s in schema["properties"].items()}
            out.setdefault("additionalProperties", False)
        for word in ("items", "additionalProperties"):
            if isinstance(schema.get(word), dict):
                out[word] = self.closed(schema[word])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                assert "properties" not in schema, schema
                out[word] = [self.closed(part) for part in schema[word]]
        for part in map(self.closed, out.pop("allOf", ())):
            assert part["type"] == "object" and part["additionalProperties"] is False, part
            out = {**part, **out, "properties": {**out.get("properties", {}), **part["properties"]},
                   "required": out.get("required", []) + part["required"]}
        return out
