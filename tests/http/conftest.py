"""Every answer that a test here gets by harness.Server is held to the description of the API."""

import pytest

import described
import harness


@pytest.fixture(scope="session", autouse=True)
def described_answers():
    server = harness.Server().start()
    try:
        description = described.Description(server.get("/openapi.json", key=None).json())
    finally:
        server.close()
    harness.Server.answered = description.check_if_known
    yield description
    harness.Server.answered = None
