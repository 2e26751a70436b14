"""Events and deep links over HTTP: one, batches, lists, counts, links."""

import gzip
import json
import uuid

import pytest
import requests

import harness
from harness import problem

HOST = "game.example"
EVENT_TYPES_MAX, TYPES_PER_PLAYER = 60, 30
READ = "1" * 64


@pytest.fixture(scope="module")
def server():
    server = harness.Server({"players.track_redirect_hosts": f"[{HOST}, 'localhost:8443']",
                             "players.event_types_max": str(EVENT_TYPES_MAX),
                             "players.event_types_per_player": str(TYPES_PER_PLAYER)})
    server.edit_config(lambda text: text.replace(
        "\nkeys: []\n", f'\nkeys:\n  - {{client: reader, scope: read, key: "{READ}"}}\n'))
    with server:
        yield server


@pytest.fixture
def ann(server):
    return server.player("ann-" + uuid.uuid4().hex[:12])


def batch(player, items, **more):
    answer = player.post("/v1/events", json=items, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [e["id"] for e in answer.json()["data"]]


@pytest.mark.asan
def test_an_event_is_stored_once_and_a_resend_is_answered_by_the_first(ann):
    sent = {"event_type": "level_up", "meta": {"level": 7}, "ts_utc": "2026-01-31T09:00:00+01:00",
            "event_id": "a-1"}
    first = ann.post("/event", json=sent)
    assert first.status_code == 201, first.text
    body = first.json()
    assert body["ts_utc"] == "2026-01-31T08:00:00Z" and body["event_id"] == "a-1"
    assert body["event_type"] == "level_up" and body["duplicate"] is False
    assert body["received_at"].endswith("Z")
    again = ann.post("/v1/event", json={"event_type": "other", "meta": 1, "event_id": "a-1"})
    assert again.status_code == 200
    assert again.json() == {**body, "duplicate": True}
    listed = ann.get("/events").json()["data"]
    assert [(e["id"], e["meta"], e["player_id"]) for e in listed] == [(body["id"], {"level": 7}, ann.id)]


def test_meta_comes_back_byte_by_byte(ann):
    meta = '{"b" : [1.0e+5,  "\\u00e9"],"a":12345678901234567890123 }'
    answer = ann.post("/v1/event", data='{"event_type":"raw","meta":%s}' % meta,
                      headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text
    assert f'"meta":{meta}' in ann.get("/v1/events").text


def test_bad_events_name_what_is_wrong_and_store_nothing(ann):
    def send(**event):
        return ann.post("/v1/event", json=event)
    problem(send(), 422, "missing_member", "event_type")
    problem(send(event_type=None), 422, "missing_member", "event_type")
    problem(send(event_type="a b"), 422, "invalid", "event_type")
    problem(send(event_type="x" * 65), 422, "invalid", "event_type")
    problem(send(event_type="spend"), 422, "reserved_event_type", "event_type")
    problem(send(event_type="a", meta="x" * 8191), 422, "meta_too_large", "meta")
    problem(send(event_type="a", ts_utc="noon"), 422, "invalid", "ts_utc")
    problem(send(event_type="a", event_id=7), 422, "invalid", "event_id")
    near = problem(send(event_type="a", evnet_id="x"), 422, "unknown_member", "evnet_id")
    assert "did you mean 'event_id'?" in near["detail"]
    problem(ann.post("/v1/event", data=b"{", headers={"Content-Type": "application/json"}), 400,
            "malformed")
    problem(ann.post("/v1/event", data={"event_type": "a"}), 415, "unsupported_media_type")
    problem(ann.post("/v1/event", data=b" " * 12289, headers={"Content-Type": "application/json"}),
            413, "too_large")
    assert ids(ann.get("/v1/events")) == []
    assert ann.get("/stats").json() == {"data": [], "meta": {"total": 0}}


def test_events_need_a_token_and_lists_a_token_or_the_right_key(server, ann):
    for method, path in (("POST", "/event"), ("POST", "/v1/events"), ("GET", "/events"),
                         ("GET", "/v1/events/stats"), ("GET", "/stats")):
        problem(server.request(method, path, key=None), 401, "unauthorized")
    problem(server.post("/v1/event", json={"event_type": "a"}), 401, "unauthorized")
    ann.post("/v1/event", json={"event_type": "mine"})
    problem(server.get("/v1/events", key=READ), 403, "forbidden")
    total = server.get("/v1/events/stats", key=READ).json()["meta"]["total"]
    assert server.get("/stats", key=READ).json()["meta"]["total"] == total >= 1
    # The admin sees all players; a token beside the key shows its own.
    mine = ids(ann.get("/v1/events"))
    assert mine[0] in ids(server.get("/v1/events"))
    assert ids(server.get("/v1/events", params={"player_id": ann.id})) == mine
    headers = {"Authorization": f"Bearer {ann.token}"}
    assert ids(server.get("/v1/events", headers=headers)) == mine
    assert ids(ann.get("/v1/events", params={"player_id": ann.id})) == mine
    problem(ann.get("/v1/events", params={"player_id": ann.id + 1}), 403, "forbidden", "player_id")


@pytest.mark.asan
def test_a_batch_says_of_each_item_what_became_of_it(ann):
    answer = batch(ann, [
        {"event_type": "kill", "event_id": "k1"},
        {"event_type": "earn"},
        {"event_type": "kill", "event_id": "k1"},
        "nonsense",
        {"event_type": "kill", "meta": [1, None]},
    ])
    assert [d["status"] for d in answer["data"]] == ["stored", "refused", "duplicate", "refused", "stored"]
    assert [d["index"] for d in answer["data"]] == [0, 1, 2, 3, 4]
    assert answer["data"][0]["id"] == answer["data"][2]["id"]
    assert answer["data"][1]["error"]["code"] == "reserved_event_type"
    assert answer["data"][1]["error"]["name"] == "event_type"
    assert answer["meta"] == {"total": 5, "stored": 2, "duplicate": 1, "refused": 2}
    assert ann.get("/v1/events/stats").json() == {"data": [{"event_type": "kill", "count": 2}],
                                                  "meta": {"total": 2}}


@pytest.mark.asan
def test_ndjson_and_gzip_are_taken_and_a_bad_line_blocks_no_other(ann):
    lines = b'{"event_type":"a"}\r\n\n{"event_type":\n{"event_type":"b"}\n'
    for headers, body in (({"Content-Type": "application/x-ndjson"}, lines),
                          ({}, lines),
                          ({"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"},
                           gzip.compress(lines))):
        answer = ann.post("/events", data=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert [d["status"] for d in answer.json()["data"]] == ["stored", "refused", "stored"]
        assert answer.json()["data"][1]["error"]["code"] == "malformed"
    assert len(ids(ann.get("/v1/events"))) == 6


@pytest.mark.asan
def test_bodies_that_are_no_batch_are_refused_whole(ann):
    def send(body, kind="application/json", **headers):
        return ann.post("/v1/events", data=body, headers={"Content-Type": kind, **headers})
    problem(send(b'[{"event_type":"a"},{"event_type":"a"'), 400, "malformed")
    problem(send(b'[{"event_type":"a"}] x'), 400, "malformed")
    problem(send(b""), 400, "malformed")
    problem(send(b'"a"'), 400, "malformed")
    problem(send(b"a=1", kind="application/x-www-form-urlencoded"), 415, "unsupported_media_type")
    problem(send(b"[]", **{"Content-Encoding": "br"}), 415, "unsupported_media_type")
    problem(send(b"[]", **{"Content-Encoding": "gzip"}), 400, "bad_gzip")
    problem(send(gzip.compress(b'[{"event_type":"a"}]')[:-9], **{"Content-Encoding": "gzip"}), 400,
            "bad_gzip")
    many = problem(send(json.dumps([{"event_type": "a"}] * 1001)), 422, "too_many_events")
    assert "1000" in many["detail"]
    bomb = gzip.compress(b"[" + b" " * (64 << 20))
    assert len(bomb) < 100_000
    assert "9216000" in problem(send(bomb, **{"Content-Encoding": "gzip"}), 413, "too_large")["detail"]
    assert "9216000" in problem(send(b" " * 9_216_001), 413, "too_large")["detail"]
    assert "9216000" in problem(send(b" " * (10 << 20)), 413, "too_large")["detail"]
    assert ids(ann.get("/v1/events")) == []


def test_other_bodies_are_not_taken_packed_and_are_told_so(server, ann):
    for path, body in (("/v1/earn", b'{"amount":1}'), ("/v1/event", b'{"event_type":"a"}'),
                       ("/v1/login", b'{"username":"packed","password":"correct horse"}')):
        def send(encoding, body, path=path):
            return ann.post(path, data=body, headers={"Content-Type": "application/json",
                                                      "Content-Encoding": encoding})
        for encoding in ("gzip", "br"):
            said = problem(send(encoding, gzip.compress(body)), 415, "unsupported_media_type",
                           "Content-Encoding")
            assert f"'{encoding}'" in said["detail"]
        assert send("identity", body).ok


def test_a_full_batch_of_the_longest_metas_is_stored(ann):
    meta = "x" * 8190
    items = [{"event_type": "big", "meta": meta, "event_id": f"b{i}"} for i in range(1000)]
    first = batch(ann, items)
    assert first["meta"] == {"total": 1000, "stored": 1000, "duplicate": 0, "refused": 0}
    again = batch(ann, items)
    assert again["meta"]["duplicate"] == 1000
    assert [d["id"] for d in again["data"]] == [d["id"] for d in first["data"]]
    assert ann.get("/stats").json()["data"] == [{"event_type": "big", "count": 1000}]
    assert ann.get("/v1/events", params={"limit": 1}).json()["data"][0]["meta"] == meta


def test_lists_are_filtered_and_paged_newest_first(server, ann):
    first = [d["id"] for d in batch(ann, [{"event_type": f"t{i % 3}"} for i in range(250)])["data"]]
    # A later millisecond, so that times tell it from the batch.
    edge = ann.get("/v1/events", params={"limit": 1}).json()["data"][0]["received_at"]
    single = {"received_at": edge}
    while single["received_at"] == edge:
        single = ann.post("/v1/event", json={"event_type": "late"}).json()
    everything = ids(ann.get("/v1/events", params={"limit": 1000}))
    assert everything == sorted(everything, reverse=True) and len(everything) >= 251
    assert ids(ann.get("/v1/events")) == everything[:100]
    walked, answer = [], ann.get("/v1/events", params={"limit": 60})
    while True:
        walked += ids(answer)
        page = answer.json()["page"]
        if not page["has_more"]:
            break
        assert f'<{page["next_url"]}>; rel="next"' == answer.headers["Link"]
        answer = ann.get(page["next_url"])
    assert walked == everything
    assert ids(ann.get("/v1/events", params={"event_type": "t1", "limit": 1000})) == first[1::3][::-1]
    assert ids(ann.get("/v1/events", params={"event_type": "nobody_sent"})) == []
    moment = single["received_at"]
    after = ids(ann.get("/v1/events", params={"since": moment, "limit": 1000}))
    before = ids(ann.get("/v1/events", params={"until": moment, "limit": 1000}))
    assert single["id"] in after and first[-1] in before and after + before == everything
    assert ids(ann.get("/v1/events", params={"since": "2999-01-01"})) == []
    assert ids(ann.get("/v1/events", params={"until": "2000-01-01"})) == []
    problem(ann.get("/v1/events", params={"since": "yesterday"}), 400, "bad_parameter", "since")
    plus = problem(ann.get("/v1/events?until=2026-01-01T00:00:00+01:00"), 400, "bad_parameter", "until")
    assert "%2B" in plus["detail"]
    problem(ann.get("/v1/events", params={"limit": 1001}), 400, "bad_parameter", "limit")
    problem(ann.get("/v1/events", params={"typ": "x"}), 400, "unknown_parameter", "typ")
    assert server.request("HEAD", "/v1/events").status_code == 200


def test_earning_is_an_event_too(ann):
    earned = ann.post("/v1/earn", json={"amount": 5})
    assert earned.status_code == 200, earned.text
    event = ann.get("/v1/events").json()["data"][0]
    assert event["event_type"] == "earn" and event["id"] == earned.json()["event_id"]


@pytest.mark.asan
def test_a_link_is_stored_with_every_parameter(server, ann):
    answer = requests.get(server.url + "/track?character=kn%C3%AFght&campaign=spring&tag=a&x=1&tag=b",
                          timeout=20)
    assert answer.status_code == 200, answer.text
    tracked = {"character": "knïght", "campaign": "spring", "tag": ["a", "b"], "x": "1"}
    assert answer.json() == {"ok": True, "tracked": tracked, "counted": True, "missing": []}
    stored = server.get("/v1/events", params={"event_type": "deeplink_open"}).json()["data"][0]
    assert stored["meta"] == tracked and stored["player_id"] is None
    assert ann.get("/v1/track?campaign=spring&character=").json() == {
        "ok": True, "tracked": {"character": None, "campaign": "spring"}, "counted": True,
        "missing": ["character"]}
    own = ann.get("/v1/events").json()["data"][0]
    assert own["meta"] == {"character": None, "campaign": "spring"} and own["player_id"] == ann.id
    problem(server.get("/track?character=a", key=None, headers={"Authorization": "Bearer x"}), 401,
            "token_invalid")
    problem(server.get("/track?character=a&character=b", key=None), 400, "duplicate_parameter")
    problem(server.get("/track?" + "&".join(f"p{i}=1" for i in range(65)), key=None), 400,
            "bad_parameter")
    assert "8192" in problem(server.get("/track?x=" + "%01" * 1400, key=None), 400,
                             "bad_parameter")["detail"]


def opens(server):
    counts = server.get("/v1/events/stats").json()["data"]
    return sum(c["count"] for c in counts if c["event_type"] == "deeplink_open")


def test_head_and_previews_are_answered_and_not_counted(server):
    before = opens(server)
    head = requests.head(server.url + "/track?character=a", timeout=20)
    assert head.status_code == 200 and head.content == b""
    for agent in ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
                  "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
                  "WhatsApp/2.23", "TelegramBot (like TwitterBot)", "Mozilla/5.0 GoogleBot/2.1"):
        answer = requests.get(server.url + "/track?character=a", timeout=20,
                              headers={"User-Agent": agent})
        assert answer.status_code == 200 and answer.json()["counted"] is False, agent
    assert opens(server) == before
    answer = requests.get(server.url + "/track?character=a", timeout=20,
                          headers={"User-Agent": "Mozilla/5.0 (iPhone) Safari/605"})
    assert answer.json()["counted"] is True and opens(server) == before + 1


@pytest.mark.parametrize("name, value", [
    ("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"),
    ("X-Moz", "prefetch"), ("X-Purpose", "preview")])
def test_a_link_that_is_fetched_ahead_is_answered_and_not_counted(server, name, value):
    before = opens(server)
    for path in ("/track", "/v1/track"):
        answer = requests.get(server.url + path + "?character=a", timeout=20, headers={name: value})
        assert answer.status_code == 200 and answer.json()["counted"] is False
        assert answer.headers["Cache-Control"] == "no-store"
    away = requests.get(server.url + "/v1/track", allow_redirects=False, timeout=20,
                        params={"character": "a", "redirect": f"https://{HOST}/"}, headers={name: value})
    assert away.status_code == 302 and opens(server) == before
    answer = requests.get(server.url + "/track?character=a", timeout=20, headers={name: "navigate"})
    assert answer.json()["counted"] is True and opens(server) == before + 1


def redirect(server, url):
    return requests.get(server.url + "/v1/track", params={"character": "a", "redirect": url},
                        allow_redirects=False, timeout=20)


def test_a_link_redirects_to_hosts_of_the_settings_alone(server):
    for url in (f"https://{HOST}/play?a=b#c", f"HTTP://{HOST.upper()}", f"https://{HOST}?x",
                "https://localhost:8443/@x"):
        answer = redirect(server, url)
        assert answer.status_code == 302 and answer.headers["Location"] == url
        assert answer.content == b""
    before = opens(server)
    for url in ("https://evil.example/", f"https://{HOST}.evil.example/", f"https://{HOST}:81/",
                f"https://user@{HOST}/", f"https://{HOST}@evil.example/", f"//{HOST}/",
                f"https://evil.example\\@{HOST}/", f"https://{HOST}\\.evil.example/",
                f"https:/{HOST}/", f"https:\\\\{HOST}", f" https://{HOST}/", f"javascript://{HOST}/%0aalert(1)",
                f"https://{HOST}/\r\nSet-Cookie: a=b", f"https://{HOST}/é", "https://localhost/",
                "https://", f"https://{HOST}%2eevil.example/", "data:text/html,x", f"ftp://{HOST}/"):
        problem(redirect(server, url), 400, "redirect_not_allowed", "redirect")
    assert "'evil.example'" in redirect(server, "https://evil.example/").json()["detail"]
    assert opens(server) == before


# Last: they leave no room for further types.
def test_one_player_leaves_the_others_types_to_bring(server, ann):
    answer = batch(ann, [{"event_type": f"ann_{i}"} for i in range(TYPES_PER_PLAYER + 1)])
    last = answer["data"][-1]
    assert (last["status"], last["error"]["code"]) == ("refused", "too_many_event_types")
    assert f"{TYPES_PER_PLAYER} event types" in last["error"]["detail"]
    assert "players.event_types_per_player" in last["error"]["detail"]
    bob = server.player("bob-" + uuid.uuid4().hex[:12])
    assert bob.post("/v1/event", json={"event_type": "bobs"}).status_code == 201
    assert ann.post("/v1/event", json={"event_type": "bobs"}).status_code == 201
    problem(ann.post("/v1/event", json={"event_type": "anns"}), 422, "too_many_event_types",
            "event_type")


def test_types_beyond_the_limit_are_refused_and_known_ones_are_not(ann):
    answer = batch(ann, [{"event_type": f"type_{i}", "event_id": f"e{i}"}
                         for i in range(EVENT_TYPES_MAX + 1)])
    refused = [d for d in answer["data"] if d["status"] == "refused"]
    assert answer["data"][0]["status"] == "stored" and refused[-1]["index"] == EVENT_TYPES_MAX
    assert {d["error"]["code"] for d in refused} == {"too_many_event_types"}
    assert str(EVENT_TYPES_MAX) in refused[0]["error"]["detail"]
    problem(ann.post("/v1/event", json={"event_type": "one_more"}), 422, "too_many_event_types",
            "event_type")
    resent = ann.post("/v1/event", json={"event_type": "one_more", "event_id": "e0"})
    assert resent.status_code == 200 and resent.json()["event_type"] == "type_0"
    assert ann.post("/v1/event", json={"event_type": "type_0"}).status_code == 201
