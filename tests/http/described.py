"""Holds answers to openapi.yaml: the status is one that the operation names, the media type is one
of that status, and the body fits its schema.  Strict: an object has no member that its schema does
not list.

    description = described.Description(server.get("/openapi.json").json())
    description.check("POST", "/v1/earn", answer)
    description.seen                  # {("earn", 200), ...}
"""

import re

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
         "boolean": bool, "null": type(None)}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Description:
    def __init__(self, document):
        self.document = document
        self.seen = set()

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

    def check(self, method, path, answer):
        word = "get" if method == "HEAD" else method.lower()
        row = self.document["paths"][path.partition("?")[0]][word]
        operation, status = row["operationId"].removesuffix("_at_root"), answer.status_code
        said = f"{method} {path}: {status} {answer.text[:300]}"
        assert str(status) in row["responses"], f"not described: {said}"
        self.seen.add((operation, status))
        response = self.resolve(row["responses"][str(status)])
        for name in response.get("headers", {}):
            assert name in answer.headers or name in ("Link", "Idempotent-Replayed"), said
        content = response.get("content", {})
        if method == "HEAD" or not content:
            assert not answer.content, said
            return
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in content, said
        wrong = list(self.misfits(content[kind]["schema"], answer.json(), "$"))
        assert not wrong, f"{said}\n{wrong}"

    def misfits(self, schema, value, where):
        """What is wrong with the value, each with its place."""
        schema = self.resolve(schema)
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(self.is_a(value, kind) for kind in kinds):
            yield f"{where}: {value!r} is not {kinds}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is not one of {schema['enum']}"
        elif "const" in schema and value != schema["const"]:
            yield f"{where}: {value!r} is not {schema['const']!r}"
        elif schema.get("format") == "date-time" and value and not MOMENT.fullmatch(value):
            yield f"{where}: {value!r} is no moment"
        elif isinstance(value, (int, float)) and value < schema.get("minimum", value):
            yield f"{where}: {value!r} is too small"
        if isinstance(value, dict) and "properties" in schema:
            yield from self.member_misfits(schema, value, where)
        if isinstance(value, list) and "items" in schema:
            for i, item in enumerate(value):
                yield from self.misfits(schema["items"], item, f"{where}[{i}]")

    @staticmethod
    def is_a(value, kind):
        return isinstance(value, TYPES[kind]) and (kind == "boolean") == isinstance(value, bool)

    def member_misfits(self, schema, value, where):
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{where}.{name} is missing"
        for name, inner in value.items():
            if name in schema["properties"]:
                yield from self.misfits(schema["properties"][name], inner, f"{where}.{name}")
            elif not schema.get("additionalProperties"):
                yield f"{where}.{name} is not described"
