"""Accounts of players through nginx: registering, logging in, the password, leaving, and what
happens to those who guess, all at once or one after the other."""

import concurrent.futures
import json
import os
import signal
import statistics
import subprocess
import threading
import time

import pytest

import harness

PASSWORD = "correct horse"
KEYS = "".join(chr(0x1f511 + i * 37) for i in range(8))


def enrol(server, name, password=PASSWORD, path="/v1/register"):
    return server.post(path, key=None, json={"username": name, "password": password})


def log_in(server, name, password=PASSWORD, path="/v1/login"):
    return server.post(path, key=None, json={"username": name, "password": password})


def refused(answer, status, code, name=None):
    return harness.problem(answer, status, code, name)["detail"]


def count(server, sql, *values):
    with server.database() as db:
        return db.execute(sql, values).fetchone()[0]


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


def test_the_paths_are_at_the_root_too(server):
    assert enrol(server, "rooted", path="/register").status_code == 201
    answer = log_in(server, "rooted", path="/login")
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert server.get("/me", key=None, headers=headers).json()["username"] == "rooted"
    change = {"old_password": PASSWORD, "new_password": "battery staple"}
    assert server.post("/me/password", key=None, headers=headers, json=change).status_code == 204
    assert server.delete("/me", key=None, headers=headers).status_code == 204


def test_a_new_name_registers_by_logging_in(server):
    answer = log_in(server, "newcomer")
    assert answer.status_code == 201 and answer.json()["player"]["username"] == "newcomer"
    assert log_in(server, "newcomer").status_code == 200
    refused(log_in(server, "newcomer", "another password"), 401, "login_failed")


def test_without_a_token_there_is_no_me(server):
    for answer in (server.get("/v1/me"), server.delete("/v1/me"),
                   server.post("/v1/me/password", json={"old_password": PASSWORD,
                                                        "new_password": PASSWORD})):
        refused(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.asan
def test_wrong_names_and_passwords_are_named(server):
    long_name, key = "n" * 65, "\N{KEY}"
    for path in ("/v1/register", "/v1/login"):
        for name in ("", "ab", long_name, "a b c", "ann\n", "an\xe9", "../ann", "ann\0"):
            answer = enrol(server, name, path=path)
            if name == "ann\0":
                refused(answer, 400, "malformed")  # strict JSON has no NUL
            else:
                refused(answer, 422, "bad_username", "username")
        for password in ("", "1234567", "x" * 129, key * 7, key * 129):
            detail = refused(enrol(server, "formal", password, path), 422, "bad_password",
                             "password")
            assert f"got {len(password)}" in detail
            assert not password or password not in detail
    # Characters, not bytes.
    for i, password in enumerate((KEYS, KEYS * 16)):
        assert enrol(server, f"keys{i}", password).status_code == 201
        assert log_in(server, f"keys{i}", password).status_code == 200
    assert enrol(server, "n" * 64).status_code == 201


def test_bodies_that_are_no_credentials_are_refused(server):
    good = b'{"username": "typed", "password": "correct horse"}'

    def send(body, **headers):
        return server.post("/v1/login", key=None, data=body, headers=headers)

    as_json = {"Content-Type": "application/json"}
    for body, code, name in ((b'{"username": "typed"}', "missing_member", "password"),
                             (b'{"password": "correct horse"}', "missing_member", "username"),
                             (b'{"username": 7, "password": "correct horse"}', "invalid",
                              "username"),
                             (b'{"username": "typed", "password": null}', "missing_member",
                              "password"),
                             (good[:-1] + b', "admin": true}', "unknown_member", "admin"),
                             (b'["typed"]', "invalid", None), (b"null", "invalid", None)):
        refused(send(body, **as_json), 422, code, name)
    told = refused(send(b"", **as_json), 400, "malformed")
    assert "is empty" in told and told.endswith("it has username and password")
    twice = good[:-1] + b', "username": "other"}'
    refused(send(twice, **as_json), 400, "malformed")
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data"):
        assert "application/json" in refused(send(good, **{"Content-Type": kind}), 415,
                                             "unsupported_media_type")
    refused(send(b"x" * 70000, **as_json), 413, "too_large")
    assert send(good).status_code == 201  # without a type it is taken for JSON
    charset = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert send(good, **charset).status_code == 200


def test_bodies_that_are_no_json_are_malformed(server, not_json):
    players = count(server, "SELECT count(*) FROM player")
    for name, body in not_json.items():
        answer = server.post("/v1/login", key=None, data=body,
                             headers={"Content-Type": "application/json"})
        assert answer.status_code == (400 if len(body) < 65536 else 413), (name, answer.text)
    assert count(server, "SELECT count(*) FROM player") == players


def at_once(times, call):
    with concurrent.futures.ThreadPoolExecutor(times) as pool:
        return [f.result() for f in [pool.submit(call, i) for i in range(times)]]


@pytest.fixture(scope="module")
def wide():
    """As many play workers as are shipped; a request never waits for one that hashes."""
    wide = harness.Server(play_workers=24)
    try:
        yield wide.start()
    finally:
        wide.close()


def test_of_two_who_register_a_name_at_once_one_has_it(wide):
    for round_ in range(10):
        answers = at_once(2, lambda i, name=f"twin{round_}": enrol(wide, name, f"password of {i}"))
        assert sorted(a.status_code for a in answers) == [201, 409]
        loser = next(a for a in answers if a.status_code == 409)
        refused(loser, 409, "username_taken", "username")
        winner = [a.status_code for a in answers].index(201)
        assert log_in(wide, f"twin{round_}", f"password of {winner}").status_code == 200
        refused(log_in(wide, f"twin{round_}", f"password of {1 - winner}"), 401, "login_failed")


def test_of_two_who_log_in_with_a_new_name_at_once_both_are_in(wide):
    for round_ in range(10):
        answers = at_once(2, lambda i, name=f"pair{round_}": log_in(wide, name))
        assert sorted(a.status_code for a in answers) in ([200, 201], [200, 200])
        assert len({a.json()["player"]["id"] for a in answers}) == 1


def test_a_storm_of_logins_leaves_the_others_their_answers(wide):
    # Another player: a login that is followed by 32 others ends.
    bob, _ = wide.player("bob"), wide.player("ann")
    is_over, waits = threading.Event(), []

    def storm(i):
        statuses = []
        while not is_over.is_set():
            began = time.monotonic()
            answer = log_in(wide, "ann")
            if answer.status_code == 503:
                refused(answer, 503, "hashing_busy")
                assert answer.headers["Retry-After"] == "1"
            statuses.append((answer.status_code, time.monotonic() - began))
        return statuses

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        storms = [pool.submit(storm, i) for i in range(64)]
        try:
            while len(waits) < 20:
                began = time.monotonic()
                assert bob.post("/v1/earn", json={"amount": 1}).status_code == 200
                waits.append(time.monotonic() - began)
        finally:
            is_over.set()
        logins = [login for s in storms for login in s.result()]
    assert {status for status, _ in logins} == {200, 503}
    # Whoever hashes no password does not wait like those who do, on this machine at this moment.
    hashed = [seconds for status, seconds in logins if status == 200]
    assert statistics.median(waits) < statistics.median(hashed), (waits, hashed)
    wide.wait_for(lambda: log_in(wide, "ann").status_code == 200)


@pytest.mark.asan
def test_a_new_password_ends_the_other_logins(server):
    here, there = server.player("mover"), server.player("mover")

    def change(old, new):
        return here.post("/v1/me/password", json={"old_password": old, "new_password": new})

    refused(change("wrong password", "battery staple"), 401, "login_failed")
    assert there.get("/v1/me").status_code == 200
    refused(change(PASSWORD, "short"), 422, "bad_password", "new_password")
    answer = change(PASSWORD, "battery staple")
    assert answer.status_code == 204 and not answer.content
    assert here.get("/v1/me").status_code == 200
    refused(there.get("/v1/me"), 401, "token_revoked")
    refused(log_in(server, "mover"), 401, "login_failed")
    assert log_in(server, "mover", "battery staple").status_code == 200


@pytest.mark.asan
def test_a_player_who_leaves_is_forgotten_and_the_name_is_free(server):
    gone, elsewhere = server.player("leaver"), server.player("leaver")
    rows = "SELECT count(*) FROM ledger_entry", "SELECT count(*) FROM event"
    assert gone.post("/v1/earn", json={"amount": 5}).status_code == 200
    before = [count(server, sql) for sql in rows]
    assert all(before)
    answer = gone.delete("/v1/me")
    assert answer.status_code == 204 and not answer.content
    for player in (gone, elsewhere):
        refused(player.get("/v1/me"), 401, "token_revoked")
        refused(player.delete("/v1/me"), 401, "token_revoked")
    assert count(server, "SELECT count(*) FROM player WHERE username = 'leaver'"
                         " OR username_folded = 'leaver'") == 0
    assert count(server, "SELECT password_hash FROM player WHERE id = ?", gone.id) == ""
    assert count(server, "SELECT balance FROM player WHERE id = ?", gone.id) == 5
    assert [count(server, sql) for sql in rows] == before
    new = enrol(server, "leaver", "a new password")
    assert new.status_code == 201
    assert new.json()["player"]["id"] != gone.id and new.json()["player"]["balance"] == 0


def test_a_password_that_is_given_to_leave_has_to_be_right(server):
    player = server.player("undecided")
    refused(player.delete("/v1/me", json={"password": "wrong password"}), 401, "login_failed")
    refused(player.delete("/v1/me", json={"passwort": PASSWORD}), 422, "unknown_member", "passwort")
    refused(player.delete("/v1/me", json=[PASSWORD]), 422, "invalid")
    assert player.get("/v1/me").status_code == 200
    assert player.delete("/v1/me", json={"password": PASSWORD}).status_code == 204
    # The login is of the last five minutes.
    for i, body in enumerate((None, {}, {"password": None})):
        assert server.player(f"hasty{i}").delete("/v1/me", json=body).status_code == 204


# Of what is guessed first, and what it is told.
# Of the package cracklib-runtime.
DICTIONARY = "/var/cache/cracklib/cracklib_dict"
WEAK = (("password", "common word"), ("12345678", "neighbouring characters"),
        ("PassWord1", "common word"), ("aaaaaaaaaa", "different characters"),
        ("Weak.Player", "the username"), ("weak.player7", "the username"))


@pytest.mark.asan
def test_a_password_that_is_guessed_first_is_not_set(server):
    for path in ("/v1/register", "/register", "/v1/login", "/login"):
        for password, reason in WEAK:
            answer = enrol(server, "weak.player", password, path)
            assert reason in refused(answer, 422, "weak_password", "password")
    assert count(server, "SELECT count(*) FROM player WHERE username = 'weak.player'") == 0
    player = server.player("weak.player")
    for password, reason in WEAK:
        answer = player.post("/v1/me/password", json={"old_password": PASSWORD,
                                                      "new_password": password})
        assert reason in refused(answer, 422, "weak_password", "new_password")
    # Nobody is kept out, or told more, by the password that was set before.
    refused(log_in(server, "weak.player", "password"), 401, "login_failed")
    assert log_in(server, "weak.player").status_code == 200


def test_the_check_of_passwords_can_be_off_and_needs_its_dictionary(server_with):
    server = server_with({"players.password_check": "false",
                          "players.password_dictionary": "/nowhere/dictionary"})
    assert enrol(server, "easy", "password").status_code == 201
    server.edit_config(lambda text: text.replace("password_check: false", "password_check: true"))
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for(lambda: '"event":"reload_refused"' in server.log())
    for text in (server.log(), subprocess.run(
            [harness.binary(), "serve", "--config", server.config, "--data",
             os.path.join(server.base, "other"), "--port", str(harness.free_port())],
            capture_output=True, text=True, timeout=20).stderr):
        assert "/nowhere/dictionary.pwd" in text and "cracklib-runtime" in text
    assert enrol(server, "easier", "password").status_code == 201
    server.edit_config(lambda text: text.replace("/nowhere/dictionary", '""'))
    server.reload()
    refused(enrol(server, "easiest", "password"), 422, "weak_password", "password")
    # Who has one goes on with it.
    assert log_in(server, "easy", "password").status_code == 200


def test_a_dictionary_that_goes_or_is_damaged_sets_no_password(server_with, tmp_path):
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    own = tmp_path / "own"
    endings = (".pwd", ".pwi", ".hwm")
    whole = {ending: open(DICTIONARY + ending, "rb").read() for ending in endings}
    for ending in endings:
        (tmp_path / ("own" + ending)).write_bytes(whole[ending])
    server = server_with({"players.password_dictionary": str(own)})
    assert "warning" not in server.get("/readyz").json()
    index = tmp_path / "own.pwi"
    for name, spoil in (("emptied", lambda: index.write_bytes(b"")), ("gone", index.unlink)):
        spoil()
        answer = enrol(server, "nobody." + name, "password")
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "60"
        assert answer.json()["code"] == "password_check_unavailable"
        ready = server.get("/readyz")
        assert ready.status_code == 200 and ready.json()["warning"].startswith("passwords: ")
        assert str(tmp_path) not in answer.text + ready.text
    assert str(index) in server.log()
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for(lambda: '"event":"reload_refused"' in server.log())
    (tmp_path / "own.pwd").write_bytes(b"")
    index.write_bytes(whole[".pwi"])
    check = subprocess.run([harness.binary(), "check-config", "--config", server.config],
                           capture_output=True, text=True, timeout=20)
    assert check.returncode and "own.pwd is damaged" in check.stderr
    (tmp_path / "own.pwd").write_bytes(whole[".pwd"])
    refused(enrol(server, "nobody", "password"), 422, "weak_password", "password")
    assert "warning" not in server.get("/readyz").json()
    # cracklib prints lines of its own about what it cannot read.
    for line in server.log().splitlines():
        assert line.startswith(("ready ", "admin key: ")) or json.loads(line)


@pytest.fixture(scope="module")
def guarded():
    guarded = harness.Server({"players.login_registers": "false", "players.login_failures": "2",
                              "http.trusted_proxies": "[127.0.0.1]"})
    try:
        yield guarded.start()
    finally:
        guarded.close()


def test_unknown_and_wrong_are_one_answer(guarded):
    assert enrol(guarded, "known").status_code == 201
    answers = [log_in(guarded, name, "wrong password") for name in ("known", "unknown")]
    for answer in answers:
        refused(answer, 401, "login_failed")
    bodies = [answer.json() for answer in answers]
    for body in bodies:
        del body["request_id"]
    assert bodies[0] == bodies[1]
    varying = {"X-Request-Id", "Server-Timing", "Date"}
    assert ({k: v for k, v in answers[0].headers.items() if k not in varying}
            == {k: v for k, v in answers[1].headers.items() if k not in varying})
    assert count(guarded, "SELECT count(*) FROM player WHERE username = 'unknown'") == 0


@pytest.mark.asan
def test_who_guesses_waits_as_long_as_it_says(server_with):
    guarded = server_with({"players.login_registers": "false", "players.login_failures": "2",
                           "players.login_window": "5s"})
    assert enrol(guarded, "target").status_code == 201
    began = time.monotonic()
    # As for a name that nobody has.
    for name in ("target", "TARGET", "nobody", "nobody"):
        refused(log_in(guarded, name, "wrong password"), 401, "login_failed")
    for name in ("target", "nobody"):
        answer = log_in(guarded, name)
        refused(answer, 429, "login_throttled")
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
    answer = log_in(guarded, "target")
    wait, asked = int(answer.headers["Retry-After"]), time.monotonic()
    while True:
        tried = time.monotonic()
        if log_in(guarded, "target").status_code == 200:
            break
        assert tried < asked + wait, "who has waited that long is let in"
        time.sleep(0.02)
    came_in = time.monotonic()
    assert came_in - began >= 5 and came_in - asked >= wait - 1.1


def log_in_from(server, address, name, password=PASSWORD):
    return server.post("/v1/login", key=None, headers={"X-Forwarded-For": address},
                       json={"username": name, "password": password})


def test_who_guesses_from_elsewhere_does_not_keep_the_owner_out(guarded):
    assert enrol(guarded, "traveller").status_code == 201
    for _ in range(2):
        refused(log_in_from(guarded, "192.0.2.1", "traveller", "wrong password"), 401,
                "login_failed")
    refused(log_in_from(guarded, "192.0.2.1", "traveller"), 429, "login_throttled")
    assert log_in_from(guarded, "192.0.2.2", "traveller").status_code == 200


@pytest.mark.parametrize("addresses, names, throttled, free", [
    ("198.51.100.{}", "hunted", ("203.0.113.1", "hunted"), ("203.0.113.1", "unhunted")),
    ("203.0.113.9", "name-{}", ("203.0.113.9", "unhunted"), ("203.0.113.8", "unhunted")),
    ("2001:db8:0:7:{}::1", "name-{}", ("2001:db8:0:7::f", "unhunted"),
     ("2001:db8:0:8::f", "unhunted"))])
def test_guesses_are_counted_across_addresses_and_across_names(guarded, addresses, names,
                                                               throttled, free):
    for name in ("hunted", "unhunted"):
        assert enrol(guarded, name).status_code in (201, 409)
    for i in range(20):
        refused(log_in_from(guarded, addresses.format(i), names.format(i), "wrong password"), 401,
                "login_failed")
    refused(log_in_from(guarded, *throttled), 429, "login_throttled")
    assert log_in_from(guarded, *free).status_code == 200


def test_guesses_at_once_pass_the_limit_by_no_more_than_the_slots(server_with):
    guarded = server_with({"players.login_failures": "2"}, play_workers=24)
    assert enrol(guarded, "besieged").status_code == 201
    statuses = []
    for _ in range(4):
        statuses += [a.status_code for a in
                     at_once(32, lambda i: log_in(guarded, "besieged", "wrong password"))]
    slots = min(2 * os.cpu_count(), 12)
    assert set(statuses) <= {401, 429, 503} and statuses[-32:] == [429] * 32
    assert 2 <= statuses.count(401) <= 2 + slots
    refused(log_in(guarded, "besieged"), 429, "login_throttled")


def test_registering_is_limited_by_address(server_with):
    strict = server_with({"limits.accounts": "1/min burst 2"})
    answers = [enrol(strict, f"crowd{i}") for i in range(5)]
    assert [a.status_code for a in answers] == [201] * 3 + [429] * 2
    refused(answers[-1], 429, "too_many_requests")
    assert int(answers[-1].headers["Retry-After"]) == 60
    by_admin = strict.post("/v1/register", json={"username": "crowd9", "password": PASSWORD})
    assert by_admin.status_code == 201


def test_an_old_password_cannot_be_guessed_either(guarded):
    assert enrol(guarded, "owner").status_code == 201
    owner = guarded.player("owner")
    body = {"old_password": "wrong password", "new_password": "battery staple"}
    for _ in range(2):
        refused(owner.post("/v1/me/password", json=body), 401, "login_failed")
    refused(owner.post("/v1/me/password", json={**body, "old_password": PASSWORD}), 429,
            "login_throttled")
    assert owner.get("/v1/me").status_code == 200


def all_files(folder):
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path, f.read()


def test_nothing_secret_is_logged_or_kept(own_server):
    secret = "hunter2-is-secret"
    login = enrol(own_server, "quiet", secret).json()
    log_in(own_server, "quiet", secret)
    log_in(own_server, "quiet", secret + "-wrong")
    log_in(own_server, "q", secret)
    enrol(own_server, "quiet", secret)
    for body in (f'{{"username": "quiet", "password": "{secret}"', f'["{secret}"]',
                 f'{{"username": "quiet", "password": "{secret}", "password": "{secret}"}}',
                 f'{{"username": "quiet", "passwort": "{secret}"}}'):
        own_server.post("/v1/login", key=None, data=body)
    headers = {"Authorization": f"Bearer {login['token']}"}
    own_server.get("/v1/me", key=None, headers=headers)
    own_server.post("/v1/me/password", key=None, headers=headers,
                    json={"old_password": secret + "-old", "new_password": secret + "-new"})
    own_server.get("/v1/me", key=None, headers={"Authorization": f"Bearer {login['token']}x"})
    log = own_server.log()
    for path, kept in all_files(own_server.data):
        for word in (secret, login["token"], login["refresh_token"]):
            assert word.encode() not in kept, path
    assert log.count('"path":"/v1/login"') == 7
    for word in (secret, login["token"], login["refresh_token"], "$argon2id$"):
        assert word not in log
