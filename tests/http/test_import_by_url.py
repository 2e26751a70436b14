"""Imports by URL, with the real libcurl in the real fetch child, against a server that behaves
well, badly and worse."""

import os
import sqlite3
import time

import pytest

import harness

CSV = b"id,text\n1,one\n2,two\n"

# path, error code, words of its detail
REFUSED = [
    ("/404.csv", "http_status", ["404"]),
    ("/500.csv", "http_status", ["500"]),
    ("/no-such-file.csv", "http_status", ["404", "/no-such-file.csv"]),
    ("/cut.csv", "cut_short", ["14 bytes"]),
    ("/cut-chunked.csv", "cut_short", ["14 bytes"]),
    ("/too-big.csv", "too_large", [str(4 << 20), "100000000000"]),
    ("/endless.csv", "too_large", [str(4 << 20)]),
    ("/slow.csv", "too_slow", ["bytes per second"]),
    ("/silent.csv", "too_slow", ["0 bytes"]),
    ("/to-private", "address_not_allowed", ["10.0.0.1", "private"]),
    ("/to-metadata", "address_not_allowed", ["169.254.169.254", "link-local"]),
    ("/to-file", "bad_url", ["file:///etc/passwd", "http:// or https://"]),
    ("/to-itself", "too_many_redirects", ["3 redirects"]),
]

LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "127.1", "0", "2130706433", "0x7f000001", "[::1]",
                  "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]


@pytest.fixture(scope="module")
def small_server():
    """Bounds that are reached in seconds."""
    server = harness.Server({"imports.file_bytes_max": "4MiB", "fetch.low_speed_time": "1s"})
    try:
        yield server.start()
    finally:
        server.close()


def rows(server, dataset):
    answer = server.get(f"/v1/datasets/{dataset}/rows")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_file_is_fetched_and_imported(server, source):
    job = server.import_csv("by_url", source.put("/small.csv", CSV), key="id")
    assert job["result"]["bytes"] == len(CSV)
    assert [row["text"] for row in rows(server, "by_url")] == ["one", "two"]


@pytest.mark.parametrize("path", ["/chunked.csv", "/to-chunked"])
def test_a_body_without_length_is_fetched(server, source, path):
    server.import_csv("chunked", source.url(path), key="id")
    assert [row["text"] for row in rows(server, "chunked")] == ["one", "two"]


@pytest.mark.parametrize("path, code, words", REFUSED)
def test_a_bad_source_fails_the_job_by_name(small_server, source, path, code, words):
    small_server.import_csv("kept", CSV, key="id")
    version = small_server.get("/v1/datasets/kept").json()["version"]
    job = small_server.import_csv("kept", source.url(path), expect="failed")
    assert job["error"]["code"] == code, job["error"]
    assert [w for w in words if w not in job["error"]["detail"]] == [], job["error"]
    assert small_server.get("/v1/datasets/kept").json()["version"] == version
    assert len(rows(small_server, "kept")) == 2


def test_a_gzip_bomb_is_stopped_at_its_decoded_size(small_server, source):
    source.bomb()  # made before it is asked for: a silent server would be too slow
    began = time.monotonic()
    job = small_server.import_csv("bomb", source.url("/bomb.csv.gz"), expect="failed")
    assert job["error"]["code"] == "too_large", job["error"]
    assert time.monotonic() - began < 20
    answer = small_server.get("/v1/datasets/bomb")
    assert answer.status_code == 404 and answer.json()["code"] == "nothing_published"
    assert "bomb" not in [d["name"] for d in small_server.get("/v1/datasets").json()["data"]]


def test_an_unreachable_host_fails_the_job(server):
    job = server.import_csv("nobody", f"http://127.0.0.1:{harness.free_port()}/x.csv",
                            expect="failed")
    assert job["error"]["code"] == "unreachable", job["error"]


@pytest.mark.parametrize("url", ["ftp://example.org/a.csv", "file:///etc/passwd", "example.org",
                                 "http://user:secret@example.org/a.csv", "http://", ""])
def test_a_url_that_is_none_is_refused_at_once(server, url):
    answer = server.post("/v1/datasets/never/imports", json={"url": url})
    assert answer.status_code in (400, 422), answer.text
    assert "secret" not in answer.text
    assert server.get("/v1/datasets/never").status_code == 404


@pytest.mark.parametrize("host, words", [
    ("10.1.2.3", "private"), ("172.16.0.1", "private"), ("192.168.0.1", "private"),
    ("100.64.0.1", "100.64.0.1"), ("169.254.169.254", "link-local"), ("[fe80::1]", "not global unicast"),
    ("[fc00::1]", "fc00::1"), ("224.0.0.1", "multicast"), ("255.255.255.255", "255.255.255.255"),
    ("[::ffff:10.0.0.1]", "private"), ("0xa000001", "10.0.0.1"),
])
def test_addresses_of_other_networks_are_refused(server, host, words):
    server.import_csv("guarded", CSV, key="id")
    before = server.get("/v1/datasets/guarded").json()
    began = time.monotonic()
    job = server.import_csv("guarded", f"http://{host}/x.csv", expect="failed")
    assert job["error"]["code"] == "address_not_allowed", job["error"]
    assert words in job["error"]["detail"], job["error"]
    assert time.monotonic() - began < 5  # nobody was asked
    assert server.get("/v1/datasets/guarded").json() == before


def test_loopback_is_refused_as_shipped(server_with, source):
    server = server_with({"fetch.allow_loopback": "false"})
    before = len(source.seen)
    port = source.server.server_port
    for host in LOOPBACK_HOSTS:
        job = server.import_csv("never", f"http://{host}:{port}/small.csv", expect="failed")
        assert job["error"]["code"] == "address_not_allowed", (host, job["error"])
    assert len(source.seen) == before


def test_a_lease_that_ran_out_starts_no_second_child_beside_the_first(server_with, source):
    """As after a sleep of the machine, or when the writer was away for long."""
    server = server_with({"fetch.low_speed": "1"})
    job = server.start_import("leased", source.url("/slow.csv"))
    server.wait_for(lambda: server.pids("fetch"))
    db = sqlite3.connect(os.path.join(server.data, "playmeter.db"), isolation_level=None, timeout=10)
    db.execute("PRAGMA wal_autocheckpoint = 0")

    def was_claimed():
        db.execute("UPDATE job SET lease_until = 1 WHERE id = ?", (job["id"],))
        return '"event":"lease_ran_out"' in server.log() or len(server.pids("fetch")) > 1

    child = server.pids("fetch")
    server.wait_for(was_claimed, timeout=20)
    assert server.pids("fetch") == child
    db.close()
    assert server.delete(f"/v1/jobs/{job['id']}").status_code == 200
    assert server.wait_job(job)["state"] == "cancelled"
