"""/openapi.json is OpenAPI 3.1 to those who take it: two linters, and a client whose types a generator
makes of it."""

import json
import os
import shutil

import pytest

import node_tools


@pytest.fixture(scope="module")
def document(server):
    return server.get("/openapi.json", key=None).json()


@pytest.fixture(scope="module")
def tools(tmp_path_factory, document):
    folder = tmp_path_factory.mktemp("openapi")
    for name in os.listdir(node_tools.path("openapi")):
        shutil.copy(node_tools.path("openapi", name), folder)
    (folder / "openapi.json").write_text(json.dumps(document))
    return node_tools.Tools(folder)


def redocly(tools, name):
    """What Redocly finds wrong, warnings included."""
    done = tools.run("redocly", "lint", "--config=redocly.yaml", "--format=json", name)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["totals"]["ignored"] == 0 and (done.returncode == 0) == (not said["problems"])
    return [f"{p['ruleId']}: {p['message']} {p['location'][0]['pointer']}" for p in said["problems"]]


def spectral(tools, name):
    """The same of Spectral, hints included."""
    done = tools.run("spectral", "lint", "--ruleset=spectral.yaml", "--format=json",
                     "--fail-severity=hint", "--quiet", name)
    assert done.stdout.startswith("["), done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert (done.returncode == 0) == (not said)
    return [f"{p['code']}: {p['message']} {'/'.join(map(str, p['path']))}" for p in said]


@pytest.mark.parametrize("lint", [redocly, spectral])
def test_a_linter_finds_nothing(tools, lint):
    assert not lint(tools, "openapi.json")


@pytest.mark.parametrize("lint", [redocly, spectral])
def test_a_linter_finds_a_reference_to_nowhere_and_a_member_unknown_to_openapi(tools, document, lint):
    broken = json.loads(json.dumps(document))
    del broken["components"]["responses"]["busy"]
    broken["components"]["schemas"]["page"]["and the rest of a sentence."] = None
    with open(os.path.join(tools.folder, "broken.json"), "w", encoding="utf-8") as f:
        json.dump(broken, f)
    found = "\n".join(lint(tools, "broken.json"))
    assert "ref" in found and "readyz" in found
    assert lint is spectral or "and the rest of a sentence." in found


def test_a_client_made_of_the_description_compiles_and_works(tools, server):
    made = tools.run("openapi-typescript", "openapi.json", "--output", "api.ts")
    assert made.returncode == 0, made.stdout + made.stderr
    compiled = tools.run("tsc", "--project", ".")
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    ran = tools.run("node", "client.mjs", server.url, server.admin_key)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(ran.stdout) == {
        "state": "succeeded", "rows": [{"id": 3, "name": "Cid"}], "total": 1,
        "unknown": "not_found", "earned": 50, "balance": 50}
