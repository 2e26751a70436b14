"""Imports by URL, with the real libcurl in the real fetch child, against a server that behaves
well, badly and worse."""

import glob
import os
import socket
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
    ("/to-private", "address_not_allowed", ["http://10.0.0.1/x.csv", "private"]),
    ("/to-metadata", "address_not_allowed", ["169.254.169.254", "link-local"]),
    ("/to-nobody", "unreachable", ["public internet", "check its spelling"]),
    ("/to-file", "bad_url", ["file:///etc/passwd", "http:// or https://"]),
    ("/to-itself", "too_many_redirects", ["3 redirects"]),
]

LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "127.1", "0", "2130706433", "0x7f000001", "[::1]",
                  "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]


@pytest.fixture(scope="module")
def small_server():
    """Bounds that are reached in seconds."""
    with harness.Server({"imports.file_bytes_max": "4MiB", "fetch.low_speed_time": "1s"}) as server:
        yield server


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
    job = small_server.import_csv("bomb", source.url("/bomb.csv.gz"), expect="failed")
    assert job["error"]["code"] == "too_large", job["error"]
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
    job = server.import_csv("guarded", f"http://{host}/x.csv", expect="failed")
    assert job["error"]["code"] == "address_not_allowed", job["error"]
    assert words in job["error"]["detail"], job["error"]
    assert server.get("/v1/datasets/guarded").json() == before


def test_where_a_name_leads_is_not_told(server_with):
    """The name of this machine leads to an address of its own, and `nobody` nowhere."""
    server = server_with({"fetch.allow_loopback": "false"})
    details = []
    for host in (socket.gethostname(), "nobody.invalid"):
        job = server.import_csv("never", f"http://{host}/x.csv", expect="failed")
        assert job["error"]["code"] == "unreachable", job["error"]
        details.append(job["error"]["detail"].replace(host, "HOST"))
    assert details[0] == details[1]


def test_an_international_host_is_looked_up_by_its_ascii_name(server):
    job = server.import_csv("never", "https://bücher.invalid/ä.csv?x=ö", expect="failed")
    assert job["error"]["code"] == "unreachable", job["error"]
    assert job["source"] == "https://xn--bcher-kva.invalid/%c3%a4.csv"


def test_loopback_is_refused_as_shipped(server_with, source):
    port = source.server.server_port
    server = server_with({"fetch.allow_loopback": "false", "fetch.ports": f"[443, {port}]"})
    before = len(source.seen)
    for host in LOOPBACK_HOSTS:
        job = server.import_csv("never", f"http://{host}:{port}/small.csv", expect="failed")
        assert job["error"]["code"] == "address_not_allowed", (host, job["error"])
    assert len(source.seen) == before


def test_other_ports_than_those_of_the_web_are_refused_at_once(server_with):
    server = server_with({"fetch.allow_loopback": "false"})
    for url in ("http://example.org:8080/x.csv?s3cret", "https://example.org:22/", "http://10.0.0.1:6379/"):
        answer = server.post("/v1/datasets/never/imports", json={"url": url})
        assert answer.status_code == 422 and answer.json()["code"] == "port_not_allowed", answer.text
        assert "80, 443" in answer.json()["detail"] and "s3cret" not in answer.text
    server.edit_config(lambda text: text.replace("ports: [80, 443]", "ports: [8080]"))
    server.reload()
    job = server.import_csv("never", "http://10.0.0.1:8080/", expect="failed")
    assert job["error"]["code"] == "address_not_allowed", job["error"]


SECRET = "s3cret"


def check_nowhere(server):
    """The secret is in no answer, no log and no file of the service but the database."""
    for path in ("/v1/jobs?limit=1000", "/v1/datasets/secret/versions", "/v1/datasets/secret"):
        assert SECRET not in server.get(path).text, path
    assert SECRET not in server.log()
    for folder, _, names in os.walk(server.data):
        for path in (os.path.join(folder, name) for name in names if not name.startswith("playmeter.db")):
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    assert SECRET.encode() not in f.read(), path


def stored_urls(server):
    with server.database() as db:
        return [row[0] for row in db.execute("SELECT json_extract(options, '$.import.url') FROM job")]


def test_the_query_of_a_url_is_shown_nowhere_and_kept_until_its_job_ends(server_with, source):
    server = server_with({"fetch.low_speed": "1"})
    source.put(f"/signed.csv?X-Signature={SECRET}", CSV)
    url = source.url(f"/signed.csv?X-Signature={SECRET}#{SECRET}")
    job = server.import_csv("secret", url, key="id")
    shown = source.url("/signed.csv")
    assert job["source"] == job["result"]["source"] == shown
    versions = server.get("/v1/datasets/secret/versions").json()["data"]
    assert [version["source"] for version in versions] == [shown]
    for path in (f"/none.csv?{SECRET}", f"/to-secret?{SECRET}", f"/cut.csv?{SECRET}"):
        server.import_csv("secret", source.url(path), expect="failed")
    for bad in (f"http://me:{SECRET}@example.org/", f"ftp://example.org/?{SECRET}",
                f"http://exa mple/?{SECRET}", f"example.org/?{SECRET}"):
        answer = server.post("/v1/datasets/secret/imports", json={"url": bad})
        assert answer.status_code == 422 and SECRET not in answer.text
    answer = server.post("/api/import_csv", data=f"file_url=http%3A%2F%2Fx/%FF{SECRET}",
                         headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 400 and SECRET not in answer.text
    assert stored_urls(server) == [None] * 4

    running = server.start_import("secret", source.url(f"/slow.csv?{SECRET}"))
    server.wait_for(lambda: server.pids("fetch"))
    waiting = server.start_import("secret", source.url(f"/slow.csv?{SECRET}"))
    assert running["source"] == waiting["source"] == source.url("/slow.csv")
    check_nowhere(server)
    assert SECRET in stored_urls(server)[-2] and SECRET in stored_urls(server)[-1]
    for job in (waiting, running):
        assert server.delete(f"/v1/jobs/{job['id']}").status_code == 200
        assert server.wait_job(job)["state"] == "cancelled"
    assert stored_urls(server) == [None] * 6
    check_nowhere(server)


def partial_sources(server):
    return glob.glob(os.path.join(server.data, "spool/*/source.partial"))


@pytest.mark.parametrize("path", ["/too-big.csv", "/endless.csv", "/cut.csv", "/cut-chunked.csv", "/slow.csv",
                                  "/404.csv", "/to-private"])
def test_a_failed_fetch_leaves_nothing_in_the_spool(small_server, source, path):
    job = small_server.import_csv("spooled", source.url(path), expect="failed")
    assert glob.glob(os.path.join(small_server.data, "spool", job["id"], "source*")) == []


def test_a_fetch_that_was_ended_leaves_nothing_in_the_spool(server_with, source):
    server = server_with({"fetch.low_speed": "1"})

    def start():
        job = server.start_import("spooled", source.url("/slow.csv"))
        server.wait_for(lambda: any(map(os.path.getsize, partial_sources(server))))
        return job

    cancelled = start()
    assert server.delete(f"/v1/jobs/{cancelled['id']}").status_code == 200
    assert server.wait_job(cancelled)["state"] == "cancelled"
    assert partial_sources(server) == []

    killed = start()
    while server.job(killed)["state"] in ("running", "queued"):
        for pid in server.pids("fetch"):
            server.end(pid)
        time.sleep(0.02)
    assert server.job(killed)["error"]["code"] == "importer_crashed"
    assert partial_sources(server) == []

    handed_back = start()
    server.stop()
    assert partial_sources(server) == []

    # As when the machine went down, and its owner no longer wants the job.
    with server.database("rw") as db:
        db.execute("UPDATE job SET state = 'cancelled', finished_at = ? WHERE id = ?",
                   (int(time.time() * 1000), handed_back["id"]))
    left = os.path.join(server.data, "spool", handed_back["id"], "source.partial")
    with open(left, "w", encoding="ascii") as f:
        f.write("id,te")
    server.start()
    server.wait_for(lambda: not os.path.exists(left))


def test_a_lease_that_ran_out_starts_no_second_child_beside_the_first(server_with, source):
    """As after a sleep of the machine, or when the writer was away for long."""
    server = server_with({"fetch.low_speed": "1"})
    job = server.start_import("leased", source.url("/slow.csv"))
    server.wait_for(lambda: server.pids("fetch"))

    def was_claimed():
        with server.database("rw") as db:
            db.execute("UPDATE job SET lease_until = 1 WHERE id = ?", (job["id"],))
        return '"event":"lease_ran_out"' in server.log() or len(server.pids("fetch")) > 1

    child = server.pids("fetch")
    server.wait_for(was_claimed, timeout=20)
    assert server.pids("fetch") == child
    assert server.delete(f"/v1/jobs/{job['id']}").status_code == 200
    assert server.wait_job(job)["state"] == "cancelled"
