"""A machine whose clock is set while the service runs: what the time of events, `/readyz`, the log
and a player's login make of it.  The clock is set for the service alone (set_clock.c)."""

import datetime
import os
import re
import struct
import time

import pytest
import requests

import harness

MINUTE, DAY = 60, 86400


class Clock:
    def __init__(self, folder):
        self.path = os.path.join(folder, "clock")
        self.set(0)
        os.chmod(self.path, 0o644)

    def set(self, ahead_s):
        """Bytes in place: the service has the file mapped."""
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as f:
            f.write(struct.pack("<q", round(ahead_s * 1000)))


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return harness.preload("http/set_clock.c", tmp_path_factory.mktemp("clock"))


@pytest.fixture
def clocked(shim, monkeypatch):
    """A service and its clock."""
    server = harness.Server()
    clock = Clock(server.base)
    monkeypatch.setenv("LD_PRELOAD", shim)
    monkeypatch.setenv("SET_CLOCK", clock.path)
    try:
        yield server.start(), clock
    finally:
        server.close()


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def sent_at(player, kind="beat"):
    """The time of an event that is sent now."""
    sent = player.post("/v1/event", json={"event_type": kind})
    assert sent.status_code == 201, sent.text
    newest = player.get("/v1/events?limit=1").json()["data"][0]
    return seconds(newest["received_at"])


def send(player, kind="beat"):
    """How far the time of an event that is sent now is from now."""
    return sent_at(player, kind) - time.time()


def warning(server):
    answer = server.get("/readyz", key=None)
    assert answer.status_code == 200, answer.text
    return answer.json().get("warning", "")


def near(value, expected=0):
    return abs(value - expected) < 10


def times_of(server):
    """Of all events, the oldest first."""
    data = server.get("/v1/events?limit=1000").json()["data"]
    return [seconds(e["received_at"]) for e in sorted(data, key=lambda e: e["id"])]


def test_a_step_of_400_days_and_back_leaves_events_where_they_belong(clocked):
    server, clock = clocked
    player = server.player("traveller")
    assert near(send(player)) and warning(server) == ""
    # The clocks are read in milliseconds; a few less are still 400 days.
    clock.set(400 * DAY - 0.003)
    server.wait_for(lambda: "clock: it was put 34560000 s ahead" in warning(server))
    # The token is of before; who logs in now gets one of the clock's.
    player = server.player("traveller")
    assert near(send(player))
    earned = player.post("/v1/earn", json={"amount": 5})
    assert earned.status_code == 200
    requests.get(server.url + "/v1/track?character=x", timeout=20).raise_for_status()
    assert all(near(t - time.time()) for t in times_of(server))
    server.wait_for(lambda: '"event":"clock_ahead"' in server.log())
    # Neither a new writer nor a new service takes the step for granted.
    server.kill("writer")
    server.wait_for(lambda: server.log().count('"event":"writer_ready"') == 2)
    assert near(send(player))
    server.restart()
    assert near(send(server.player("traveller"))) and "put 34560000 s ahead" in warning(server)
    server.wait_for(lambda: server.log().count('"event":"clock_ahead"') == 2)
    clock.set(0)
    player = server.player("traveller")
    assert near(send(player)) and warning(server) == ""
    server.wait_for(lambda: "back where it was; events follow it" in server.log())
    for _ in range(3):
        assert near(send(player))
    times = times_of(server)
    assert times == sorted(times) and len(times) == 10, times


def test_a_step_back_holds_the_time_of_events_until_the_clock_has_come_up(clocked):
    server, clock = clocked
    player = server.player("held")
    began = time.time()
    send(player)
    # Taken at once, as every step of less than a minute.
    clock.set(50)
    assert near(send(player), 50)
    # As if that had been an hour ago: for as long as it had run ahead the time of events may stand.
    with server.database("rw") as db:
        db.execute("UPDATE event_clock SET since_at = since_at - 3600000")
    send(player)
    clock.set(20)
    held = [sent_at(player) for _ in range(3)]
    assert max(held) == min(held) and near(held[0] - time.time(), 50)
    clock.set(55)
    assert near(send(player), 55) and sent_at(player) > max(held)
    times = times_of(server)
    assert times == sorted(times) and times[0] >= began - 1


def test_a_start_with_a_wrong_clock_is_paid_back_in_the_time_it_took(clocked):
    """The clock of a machine with a dead battery, put right when its network is up."""
    server, clock = clocked
    server.stop()
    with server.database("rw") as db:
        db.execute("UPDATE event_clock SET boot = 'another start of the machine'")
    clock.set(400 * DAY)
    began = time.monotonic()
    server.start()
    player = server.player("early")
    assert near(send(player), 400 * DAY)
    assert "clock" not in warning(server)
    clock.set(0)
    ahead = time.monotonic() - began
    player = server.player("early")
    assert near(send(player), 400 * DAY)
    assert "put back below the newest event" in warning(server)
    server.wait_for(lambda: near(send(player)), timeout=ahead + 20)
    assert warning(server) == ""
    server.wait_for(lambda: re.search(r"put 345(59999|60000) s back; events follow", server.log()))
    today = datetime.datetime.now(datetime.timezone.utc).date()
    now = sent_at(player)
    wrong = [t for t in times_of(server) if t > now + DAY]
    right = [t for t in times_of(server) if t <= now]
    assert wrong and right and wrong == sorted(wrong) and right == sorted(right)
    # Both are found where they stand.
    since = (today - datetime.timedelta(days=1)).isoformat()
    until = (today + datetime.timedelta(days=2)).isoformat()
    for params, expected in (({"since": since, "until": until}, right), ({"since": until}, wrong),
                             ({"until": until}, right), ({"since": since}, wrong + right)):
        data = server.get("/v1/events", params={**params, "limit": 1000}).json()["data"]
        assert sorted(seconds(e["received_at"]) for e in data) == sorted(expected), params


def test_who_logged_in_long_ago_gives_the_password_to_leave(clocked):
    server, clock = clocked
    player = server.player("settled")
    clock.set(5 * MINUTE + 10)
    refused = player.delete("/v1/me")
    assert harness.problem(refused, 401, "password_required", "password")
    # A refresh is no login.
    fresh = server.post("/v1/refresh", key=None, json={"refresh_token": player.refresh_token}).json()
    player.token = fresh["token"]
    harness.problem(player.delete("/v1/me", json={}), 401, "password_required", "password")
    harness.problem(player.delete("/v1/me", json={"password": "wrong horse"}), 401, "login_failed")
    assert player.get("/v1/me").status_code == 200
    assert player.delete("/v1/me", json={"password": "correct horse"}).status_code == 204
    late = server.player("late")
    clock.set(9 * MINUTE)
    assert late.delete("/v1/me").status_code == 204
