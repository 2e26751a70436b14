"""Every answer that a test here gets by harness.Server is held to the description of the API."""

import glob
import os

import pytest

import described
import harness


@pytest.fixture(scope="session", autouse=True)
def described_answers():
    with harness.Server() as server:
        description = described.Description(server.get("/openapi.json", key=None).json())
    harness.Server.answered = description.check_if_known
    yield description
    harness.Server.answered = None


# One of each kind.
NOT_JSON = [b"", b"{", b"[1,]", b'{"a":1,}', b"{'amount':1}", b'{"amount":01}', b'{"amount":NaN}',
            b"\xff", b'["\xff"]', b'{"amount":1,"amount":2}', b'{"amount":1}x', b'{"a":"\t"}',
            b'{"reason":"\\ud800","amount":1}', b"[" * 1000, b"[" * 100000, b'{"a":' * 5000]


@pytest.fixture(params=["few", "corpus"])
def not_json(request):
    """Bodies that are no JSON, by a name."""
    if request.param == "few":
        return {repr(body[:30]): body for body in NOT_JSON}
    found = {}
    for path in glob.glob(harness.shared("corpora/json-test-suite/data/test_parsing") + "/n_*.json"):
        with open(path, "rb") as f:
            found[os.path.basename(path)] = f.read()
    assert len(found) > 100
    return found
