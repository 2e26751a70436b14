"""Players' credentials through nginx: tokens that are taken and tokens that are not, refreshing,
logging out, and secrets that change while the service runs."""

import base64
import concurrent.futures
import hashlib
import hmac
import itertools
import json
import os
import socket
import subprocess
import time

import pytest

import harness

HEADER = {"alg": "HS256", "typ": "JWT"}
names = itertools.count()


def enrol(server):
    answer = server.post("/v1/register", key=None, json={
        "username": f"player{next(names)}", "password": "correct horse"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def ask(server, token, method="GET", path="/v1/me", key=None):
    return server.request(method, path, key=key, headers={"Authorization": f"Bearer {token}"})


def refresh(server, token, path="/v1/refresh"):
    return server.post(path, key=None, json={"refresh_token": token})


def secret(server):
    with open(os.path.join(server.data, "jwt.secret"), "rb") as f:
        return f.read().rstrip(b"\n")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(key, header, claims, digest=hashlib.sha256):
    text = encode(json.dumps(header).encode()) + "." + encode(json.dumps(claims).encode())
    return text + "." + encode(hmac.new(key, text.encode(), digest).digest())


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def refused(answer, code, challenge='Bearer realm="playmeter", error="invalid_token"'):
    assert answer.headers["WWW-Authenticate"] == challenge
    return harness.problem(answer, 401, code)["detail"]


@pytest.mark.asan
def test_a_token_says_who_it_is_and_for_how_long(server):
    login = enrol(server)
    claims = claims_of(login["token"])
    assert set(claims) == {"iss", "sub", "iat", "exp", "jti"}
    assert claims["iss"] == "playmeter" and claims["sub"] == str(login["player"]["id"])
    assert claims["exp"] - claims["iat"] == login["expires_in"] == 3600
    assert abs(claims["iat"] - time.time()) < 30
    # Made by another implementation with the same secret it is the same token.
    assert login["token"] == sign_compact(secret(server), claims)
    for path in ("/v1/me", "/me"):
        assert ask(server, login["token"], path=path).json()["id"] == login["player"]["id"]


def test_only_what_says_so_is_at_the_root_too(server):
    for path in ("/datasets", "/v1/v1/me", "/jobs", "/v1", "/me/"):
        assert server.get(path).status_code == 404, path
    for path in ("/v1/refresh", "/refresh"):
        assert server.get(path).status_code == 405
        answer = server.request("OPTIONS", path, key=None)
        assert answer.status_code == 204 and answer.headers["Allow"] == "POST, OPTIONS"


def sign_compact(key, claims):
    compact = {"separators": (",", ":")}
    text = ".".join(encode(json.dumps(part, **compact).encode()) for part in (HEADER, claims))
    return text + "." + encode(hmac.new(key, text.encode(), hashlib.sha256).digest())


@pytest.mark.asan
def test_forged_and_worn_tokens_are_refused(server):
    login, other = enrol(server), enrol(server)
    key, good = secret(server), claims_of(login["token"])
    head, payload, mac = login["token"].split(".")
    now = int(time.time())
    assert ask(server, sign(key, HEADER, good)).status_code == 200
    tokens = {
        "expired": (sign(key, HEADER, {**good, "iat": 1, "exp": now - 31}), "token_expired"),
        "future": (sign(key, HEADER, {**good, "iat": now + 90}), "token_invalid"),
        "time as text": (sign(key, HEADER, {**good, "exp": str(now + 90)}), "token_invalid"),
        "fraction": (sign(key, HEADER, {**good, "exp": now + 90.5}), "token_invalid"),
        "issuer": (sign(key, HEADER, {**good, "iss": "else"}), "token_invalid"),
        "audience": (sign(key, HEADER, {**good, "aud": "playmeter"}), "token_invalid"),
        "other secret": (sign(b"x" * 64, HEADER, good), "token_invalid"),
        "altered": (f"{head}.{encode(json.dumps({**good, 'sub': '1'}).encode())}.{mac}",
                    "token_invalid"),
        "unsigned": (f"{head}.{payload}.", "token_invalid"),
        "two parts": (f"{head}.{payload}", "token_invalid"),
        "alg none": (encode(b'{"alg":"none"}') + f".{payload}.", "token_invalid"),
        "HS512": (sign(key, {"alg": "HS512"}, good, hashlib.sha512), "token_invalid"),
        "RS256": (sign(key, {"alg": "RS256"}, good), "token_invalid"),
        "crit": (sign(key, {"alg": "HS256", "crit": ["exp"]}, good), "token_invalid"),
        "padding": (login["token"] + "=", "token_invalid"),
        "too long": (login["token"] + "A" * 1024, "token_invalid"),
        # Rightly signed, but no login of that player's.
        "other player": (sign(key, HEADER, {**good, "sub": str(other["player"]["id"])}),
                         "token_revoked"),
        "other login": (sign(key, HEADER, {**good, "jti": "0" * 32}), "token_revoked"),
        "nobody": (sign(key, HEADER, {**good, "sub": "999999999"}), "token_revoked"),
    }
    for name, (token, code) in tokens.items():
        assert refused(ask(server, token), code), name
    assert ask(server, login["token"]).status_code == 200


def test_headers_that_hold_no_token_are_refused(server):
    login = enrol(server)
    plain = 'Bearer realm="playmeter"'
    said = refused(server.get("/v1/me", key=None), "unauthorized", plain)
    assert "Authorization: Bearer TOKEN" in said
    for header, code in {"Basic YTpi": "unauthorized", "Bearer": "token_invalid",
                         "Bearer ": "token_invalid", "Bearer x y": "token_invalid",
                         login["token"]: "unauthorized", "Token abc": "unauthorized",
                         f"Bearer {login['token']} x": "token_invalid",
                         f"Bearer {login['token']}, Bearer {login['token']}": "token_invalid",
                         f"Bearer \"{login['token']}\"": "token_invalid"}.items():
        answer = server.get("/v1/me", key=None, headers={"Authorization": header})
        refused(answer, code, plain + (', error="invalid_token"' if code != "unauthorized" else ""))
        assert login["token"] not in answer.text
    for header in (f"bearer {login['token']}", f"BEARER   {login['token']}"):
        answer = server.get("/v1/me", key=None, headers={"Authorization": header})
        assert answer.status_code == 200, header


@pytest.mark.asan
def test_two_authorization_headers_are_refused(server):
    tokens = [enrol(server)["token"] for _ in range(2)]
    for first, second in (tokens, tokens[::-1], (tokens[0], "x"), ("x", tokens[0])):
        head = (f"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                f"Authorization: Bearer {first}\r\nAuthorization: Bearer {second}\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port), 10) as s:
            s.sendall(head.encode())
            answer = b"".join(iter(lambda: s.recv(65536), b""))
        assert answer.split()[1] == b"400", answer
        assert b"application/problem+json" in answer


def test_a_key_stands_for_no_player(server):
    login = enrol(server)
    refused(server.get("/v1/me"), "unauthorized", 'Bearer realm="playmeter"')
    both = ask(server, login["token"], key="admin")
    assert both.status_code == 200 and both.json()["id"] == login["player"]["id"]
    refused(ask(server, "x", key="admin"), "token_invalid")
    assert server.get("/v1/me", key="0" * 64,
                      headers={"Authorization": f"Bearer {login['token']}"}).status_code == 401
    # Elsewhere a token is nothing, and takes nothing away.
    assert ask(server, "x", path="/v1/jobs", key="admin").status_code == 200
    answer = ask(server, login["token"], path="/v1/jobs")
    refused(answer, "unauthorized", 'ApiKey realm="playmeter"')


@pytest.mark.asan
def test_logging_out_ends_one_login_at_once(server):
    login = enrol(server)
    player = login["player"]["username"]
    other = server.post("/v1/login", key=None, json={
        "username": player, "password": "correct horse"}).json()
    refreshed = refresh(server, login["refresh_token"]).json()
    answer = ask(server, login["token"], "POST", "/logout")
    assert answer.status_code == 204 and answer.content == b""
    for token in (login["token"], refreshed["token"]):
        refused(ask(server, token), "token_revoked")
        refused(ask(server, token, "POST", "/v1/logout"), "token_revoked")
    refused(refresh(server, refreshed["refresh_token"]), "refresh_invalid",
            'Bearer realm="playmeter"')
    assert ask(server, other["token"]).status_code == 200
    assert refresh(server, other["refresh_token"]).status_code == 200


@pytest.mark.asan
def test_a_refresh_token_is_good_once(server_with):
    server = server_with({"players.refresh_grace": "0s"})
    login = enrol(server)
    last = login
    for path in ("/v1/refresh", "/refresh", "/v1/refresh"):
        answer = refresh(server, last["refresh_token"], path)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        new = answer.json()
        assert set(new) == set(login) and new["player"] == login["player"]
        assert new["refresh_token"] != last["refresh_token"]
        # The same login: tokens made before go on until they expire.
        assert claims_of(new["token"])["jti"] == claims_of(login["token"])["jti"]
        assert ask(server, login["token"]).status_code == 200
        last = new
    # A copy shows up: whoever came by it, nobody goes on with this login.
    said = refused(refresh(server, login["refresh_token"]), "refresh_reused",
                   'Bearer realm="playmeter"')
    assert "log in again" in said
    refused(ask(server, last["token"]), "token_revoked")
    refused(refresh(server, last["refresh_token"]), "refresh_invalid", 'Bearer realm="playmeter"')


def show_at_once(server, token):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: refresh(server, token), range(8)))


def test_without_a_grace_one_of_many_who_show_a_refresh_token_is_served(server_with):
    server = server_with({"players.refresh_grace": "0s"})
    login = enrol(server)
    answers = show_at_once(server, login["refresh_token"])
    assert sorted(a.status_code for a in answers) == [200] + [401] * 7
    assert {a.json()["code"] for a in answers if a.status_code == 401} == {"refresh_reused"}
    won = next(a.json() for a in answers if a.status_code == 200)
    refused(ask(server, won["token"]), "token_revoked")


@pytest.mark.asan
def test_who_did_not_get_the_answer_of_a_refresh_gets_it_again(server):
    login = enrol(server)
    answers = show_at_once(server, login["refresh_token"])
    assert [a.status_code for a in answers] == [200] * 8
    first, *others = [a.json() for a in answers]
    assert {a["refresh_token"] for a in others} == {first["refresh_token"]}
    assert refresh(server, login["refresh_token"], "/refresh").json()["refresh_token"] == \
        first["refresh_token"] != login["refresh_token"]
    for answer in (first, *others):
        assert ask(server, answer["token"]).status_code == 200
    # A reload in between is none.
    server.reload()
    assert refresh(server, login["refresh_token"]).json()["refresh_token"] == first["refresh_token"]
    # After a logout there is nothing to be had, in the grace or not.
    assert ask(server, first["token"], "POST", "/v1/logout").status_code == 204
    for token in (login["refresh_token"], first["refresh_token"]):
        refused(refresh(server, token), "refresh_invalid", 'Bearer realm="playmeter"')


def test_after_the_grace_a_used_refresh_token_ends_the_login(server_with):
    server = server_with({"players.refresh_grace": "10m"})
    login = enrol(server)
    new = refresh(server, login["refresh_token"]).json()
    again = refresh(server, login["refresh_token"])
    assert again.json()["refresh_token"] == new["refresh_token"]
    # As if it were over.
    with server.database("rw") as db:
        db.execute("UPDATE session_used_refresh SET used_at = used_at - 600001")
    refused(refresh(server, login["refresh_token"]), "refresh_reused", 'Bearer realm="playmeter"')
    refused(ask(server, new["token"]), "token_revoked")


def test_bad_bodies_of_a_refresh_are_named(server):
    login = enrol(server)
    for body, status, code in (("", 400, "malformed"), ("{", 400, "malformed"),
                               ("[]", 422, "invalid"), ("{}", 422, "missing_member"),
                               ('{"refresh_token": 1}', 422, "invalid"),
                               ('{"refreshtoken": "x"}', 422, "unknown_member"),
                               ('{"refresh_token":"x","refresh_token":"y"}', 400, "malformed"),
                               ('{"refresh_token": "x"}', 401, "refresh_invalid"),
                               ('{"refresh_token": ""}', 401, "refresh_invalid"),
                               (json.dumps({"refresh_token": login["token"]}), 401,
                                "refresh_invalid"),
                               (json.dumps({"refresh_token": login["refresh_token"].upper()}),
                                401, "refresh_invalid")):
        answer = server.post("/v1/refresh", key=None, data=body,
                             headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    answer = server.post("/v1/refresh", key=None, data={"refresh_token": "x"})
    assert answer.status_code == 415 and "Content-Type: application/json" in answer.text
    assert refresh(server, login["refresh_token"]).status_code == 200


def test_nothing_secret_is_logged_or_stored(server):
    login = enrol(server)
    new = refresh(server, login["refresh_token"]).json()
    refresh(server, login["refresh_token"])
    ask(server, login["token"] + "A")
    texts = [server.log().encode()]
    for folder, _, files in os.walk(server.data):
        for file in files:
            if file != "jwt.secret" and os.path.isfile(path := os.path.join(folder, file)):
                with open(path, "rb") as f:
                    texts.append(f.read())
    for hidden in (secret(server).decode(), login["token"], login["refresh_token"],
                   login["refresh_token"][4:], new["token"], new["refresh_token"]):
        assert not any(hidden.encode() in text for text in texts)
    assert os.stat(os.path.join(server.data, "jwt.secret")).st_mode & 0o777 == 0o600


def set_secrets(server, current, previous):
    server.edit_config(lambda text: replace_secrets(text, current, previous))


def replace_secrets(text, current, previous):
    values = {"secret_file:": current, "previous_secret_file:": previous}
    lines = []
    for line in text.split("\n"):
        word = line.strip().split(" ")[0]
        lines.append(f"  {word} \"{values[word]}\"" if word in values else line)
    return "\n".join(lines)


@pytest.mark.asan
def test_secrets_are_rotated_by_a_reload(own_server):
    server = own_server
    login = enrol(server)
    new = os.path.join(server.base, "new.secret")
    with open(new, "w", encoding="ascii") as f:
        f.write("the new secret, long enough it is\n")
    os.chmod(new, 0o644)
    old = os.path.join(server.data, "jwt.secret")

    # Every worker knows the new one before any of them signs with it.
    set_secrets(server, "", new)
    server.reload()
    assert ask(server, login["token"]).status_code == 200
    set_secrets(server, "new.secret", old)
    server.reload()
    assert ask(server, login["token"]).status_code == 200
    fresh = refresh(server, login["refresh_token"]).json()
    assert fresh["token"] == sign_compact(b"the new secret, long enough it is",
                                          claims_of(fresh["token"]))
    assert ask(server, fresh["token"]).status_code == 200

    # A secret that is too short refuses the reload, and what was there goes on.
    with open(new, "w", encoding="ascii") as f:
        f.write("short one\n")
    checked = subprocess.run([harness.binary(), "check-config", server.config],
                             capture_output=True, text=True)
    assert checked.returncode == 1
    assert "new.secret: a secret that signs tokens has 32 to 1024 bytes, got 9" in checked.stderr
    os.kill(server.pid, harness.signal.SIGHUP)
    server.wait_for(lambda: "reload_refused" in server.log())
    assert "a secret that signs tokens has 32 to 1024 bytes, got 9" in server.log()
    assert "short one" not in server.log()
    assert ask(server, fresh["token"]).status_code == 200

    # The old one goes.
    with open(new, "w", encoding="ascii") as f:
        f.write("the new secret, long enough it is\n")
    set_secrets(server, "new.secret", "")
    server.reload()
    refused(ask(server, login["token"]), "token_invalid")
    assert ask(server, fresh["token"]).status_code == 200
