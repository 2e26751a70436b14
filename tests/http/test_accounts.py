"""Accounts of players through nginx: registering, logging in, the password, leaving, and what
happens to those who guess, all at once or one after the other."""

import pytest

PASSWORD = "correct horse"


def enrol(server, name, password=PASSWORD, path="/v1/register"):
    return server.post(path, key=None, json={"username": name, "password": password})


def log_in(server, name, password=PASSWORD, path="/v1/login"):
    return server.post(path, key=None, json={"username": name, "password": password})


def refused(answer, status, code, name=None):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    if name:
        assert [e["name"] for e in body["errors"]] == [name]
    return body["detail"]


@pytest.mark.asan
def test_a_player_registers_logs_in_and_is_shown(server):
    answer = enrol(server, "Ann.B-1")
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    new = answer.json()
    assert set(new) == {"token", "token_type", "expires_in", "refresh_token", "player"}
    assert new["token_type"] == "Bearer" and new["expires_in"] == 3600
    assert set(new["player"]) == {"id", "username", "balance"}
    assert new["player"]["username"] == "Ann.B-1" and new["player"]["balance"] == 0
    again = log_in(server, "aNN.b-1")
    assert again.status_code == 200 and again.headers["Cache-Control"] == "no-store"
    assert again.json()["player"] == new["player"]
    assert again.json()["token"] != new["token"]
    for token in (new["token"], again.json()["token"]):
        me = server.get("/v1/me", key=None, headers={"Authorization": f"Bearer {token}"})
        assert me.status_code == 200 and me.headers["Cache-Control"] == "no-store"
        assert {k: me.json()[k] for k in new["player"]} == new["player"]
        assert me.json()["created_at"].endswith("Z")
    refused(enrol(server, "ANN.B-1"), 409, "username_taken", "username")
