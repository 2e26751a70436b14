"""Text that was made to break things, in every place that takes text: no answer is a 5xx, no header
and no line of a log is split, and what is stored comes back unchanged."""

import csv
import io
import json
import os
import re
import socket
import subprocess
import urllib.parse

import pytest

import harness

# What the corpora hold in hundreds of spellings, one of each kind.
NASTY = ["", " lead", "trail ", "\t", "a\r\nb", "a\nb", "a\rb", "null", "NaN", "-1", "1e400",
         "0x10", "9223372036854775808", "'; DROP TABLE job;--", "\" OR 1=1 --",
         "<script>alert(1)</script>", "=1+1", "+1", "@SUM(1)", "-cmd|' /C calc'!A0", "$(id)", "`id`",
         "{{7*7}}", "%s%n", "%00", "%250d%250aX-Evil: 1", "\r\nX-Evil: 1", "\u560d\u560aX-Evil: 1",
         "../../etc/passwd", "\\", "\"", "'", "\x7f", "\x01", "\x1b[31m", "\u0085", "\u009b31m",
         "\u2028", "\u2029", "\ufeffbom", "\u202eright to left", "\U0001f600" * 20, "ﬁ", "İ", "e\u0301",
         "field\twith\ttabs", "a,b", "a;b", "[]", "{}", "[\"a\"]", "true", "2020-01-01", "\ufffd"]
# Escapes that no text has.
ESCAPES = ["%00", "%ff%fe", "%c0%80", "%ed%a0%80", "%", "%zz", "%2", "%25%25", "+", "a" * 7000]
OPTIONS = {"header": "true", "nulls": ""}


@pytest.fixture(params=["few", "corpora"])
def texts(request):
    if request.param == "few":
        return NASTY
    found = []
    for name in ("blns/data/blns.json", "crlf-injection/data/crlfinjection.txt",
                 "csv-injection/data/Intruder/csv-payload.txt"):
        with open(harness.shared("corpora", name), encoding="utf-8") as f:
            found += json.load(f) if name.endswith(".json") else f.read().splitlines()
    return list(dict.fromkeys(found))


def table_of(rows):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def read_csv(answer):
    return list(csv.reader(io.StringIO(answer.content.decode(), newline="")))


def exchange(server, data):
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as s:
        s.sendall(data)
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    return answer


def check(server, method, target, headers=b"", body=None):
    """One request as raw bytes; its status."""
    request = (f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
               f"X-API-Key: {server.admin_key}\r\n").encode() + headers
    if body is not None:
        request += b"Content-Length: %d\r\n" % len(body)
    head = exchange(server, request + b"\r\n" + (body or b"")).partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 "), (target, headers, head)
    status = int(head.split()[1])
    assert status < 500 or status == 501, (target, headers, head)
    assert b"x-evil" not in head.lower(), (target, headers, head)
    assert b"\n" not in head.replace(b"\r\n", b"") and b"\r" not in head.replace(b"\r\n", b"")
    return status


def check_logs(server):
    """Each line of ours, and of the access log, is one value of JSON however lines are told apart."""
    with open(os.path.join(server.data, "logs/access.log"), encoding="utf-8") as f:
        access = f.read().splitlines()
    with open(server.log_path, encoding="utf-8") as f:
        ours = [line for line in f.read().splitlines()
                if not re.match(r"\d{4}/\d\d/\d\d |ready http|admin key: |$", line)]
    for line in access + ours:
        json.loads(line)
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", line), repr(line)
    for line in access + ours:
        assert server.admin_key not in line


def routes():
    printed = subprocess.run([harness.binary(), "routes"], capture_output=True, text=True,
                             timeout=20, check=True).stdout
    for line in printed.splitlines():
        words, _, params = line.partition("?")
        method, pattern = words.split()[:2]
        yield method, pattern, [p for p in params.split() if p != "column__op"]


def targets(server, pattern, params, values):
    job = server.get("/v1/jobs", params={"limit": 1}).json()["data"][0]["id"]
    fill = {"{dataset}": "plain", "{id}": job, "{key}": "1", "{name}": "roas_d1"}
    holes = re.findall(r"\{\w+\}", pattern)

    def filled(path):
        for hole in holes:
            path = path.replace(hole, fill[hole])
        return path

    for hole in holes:
        for value in values:
            yield filled(pattern.replace(hole, value))
    names = params + ["nosuch", "%00", "a%0d%0ab"]
    if "sort" in params or "percentiles" in params:
        names += ["text", "text__in", "text__gt", "number__lt", "number__in", "min_number", "before",
                  "text__", "__", "text__exact__exact", "number__isnull"]
    for name in names:
        for value in values:
            yield f"{filled(pattern)}?{name}={value}"
        for query in [name, f"{name}=1&{name}=2", f"{name}[]=1", f"{name}=%2531", f"={name}"]:
            yield f"{filled(pattern)}?{query}"


@pytest.mark.asan
def test_every_parameter_of_every_route_takes_every_text(server, dice):
    server.import_csv("plain", b"id,text,number\n1,a,1.5\n2,b,2\n", key="id")
    values = [urllib.parse.quote(s.encode(), safe="") for s in NASTY] + ESCAPES
    for method, pattern, params in routes():
        body = b"id,text\n1,a\n" if method in ("POST", "PUT") else None
        headers = b"Content-Type: text/csv\r\n" if body else b""
        # Where each request becomes a job, refusals are what matters.
        some = values if method == "GET" else values[::6]
        for target in targets(server, pattern, params, some):
            if len(target) < 8000 and (method == "GET" or "nosuch=" not in target):
                status = check(server, method, target, headers, body)
                for wanted in (200, 202, 400, 404):
                    dice.reach(wanted, status == wanted)
    check_logs(server)


def test_every_header_takes_every_text(server, dice):
    server.import_csv("plain", b"id,text\n1,a\n", key="id")
    names = ["X-Request-Id", "Accept", "If-None-Match", "Content-Type", "Content-Encoding", "Origin",
             "Range", "Authorization", "Cookie", "User-Agent", "X-Forwarded-For", "Expect"]
    values = [s.encode() for s in NASTY if not re.search("[\r\n]", s)]
    for name in names:
        for value in values + [b"\xff\xfe", b"a" * 8000, b"," * 500, b"W/\"", b"text/csv;q=nan"]:
            header = name.encode() + b": " + value + b"\r\n"
            status = check(server, "GET", "/v1/datasets/plain/rows", header)
            dice.reach("answered", status == 200)
            dice.reach("refused", 400 <= status < 500)
            if name.startswith("Content"):
                status = check(server, "POST", "/v1/datasets/other/imports", header, b"a\n1\n")
                dice.reach("imported", status == 202)
                dice.reach("no import", 400 <= status < 500)
    check_logs(server)


def test_paths_that_are_no_text_leave_the_logs_whole(server):
    for path in ["/v1/%ff%fe", "/v1/%e2%80%a8x", "/v1/a%c2%9b31m", "/v1/%0d%0aX-Evil:%201",
                 "/v1/%22%5c", "/" + "%ff" * 2500, "/" + "%c3%a9" * 1300, "/v1/é"]:
        check(server, "GET", path)

    def paths():
        with open(os.path.join(server.data, "logs/access.log"), "rb") as f:
            return [json.loads(line)["path"] for line in f]

    server.wait_for(lambda: {"/v1/é", "/v1/%ff%fe"} <= set(paths()))
    check_logs(server)


@pytest.mark.asan
def test_cells_come_back_unchanged(server, texts):
    rows = [[str(i), s] for i, s in enumerate(texts)]
    server.import_csv("cells", table_of([["n", "text"]] + rows), key="n",
                      types='{"text": "text"}', **OPTIONS)
    rows_url = "/v1/datasets/cells/rows"
    found = server.get(rows_url, params={"limit": 1000}).json()["data"]
    assert [row["text"] for row in found] == texts
    lines = server.get(rows_url, params={"format": "ndjson"}).content.decode().splitlines()
    assert [json.loads(line)["text"] for line in lines] == texts
    exported = server.get(rows_url, params={"format": "csv", "raw": "1"})
    assert [row[1] for row in read_csv(exported)[1:]] == texts
    escaped = read_csv(server.get(rows_url, params={"format": "csv"}))[1:]
    assert not [row for row in escaped if re.match(r"\s*[=+@-]|[\t\r\n]", row[1])]
    server.import_csv("again", exported.content, key="n", types='{"text": "text"}', **OPTIONS)
    again = server.get("/v1/datasets/again/rows", params={"limit": 1000}).json()["data"]
    assert [row["text"] for row in again] == texts


def test_every_text_finds_its_row(server, texts):
    rows = [[str(i), s] for i, s in enumerate(texts)]
    server.import_csv("found", table_of([["n", "text"]] + rows), key="n",
                      types='{"text": "text"}', **OPTIONS)
    for n, text in enumerate(texts):
        for operator, value in [("exact", text), ("in", json.dumps([text]))]:
            answer = server.get("/v1/datasets/found/rows",
                                params={f"text__{operator}": value, "limit": 1000})
            assert answer.status_code == 200, (text, answer.text)
            assert n in [row["n"] for row in answer.json()["data"]], (operator, text)


def test_headers_keep_their_text_and_columns_have_plain_names(server, texts):
    headers = [s for s in texts if len(s) < 500]
    server.import_csv("headers", table_of([headers, ["1"] * len(headers)]), header="true")
    columns = server.get("/v1/datasets/headers").json()["columns"]
    assert [column["header"] for column in columns] == headers
    names = [column["name"] for column in columns]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in names)
    assert server.get("/v1/datasets/headers/rows?format=csv").status_code == 200


def test_labels_and_file_names_come_back_unchanged(server):
    for text in NASTY:
        form = {"label": (None, text), "file": ("a.csv", b"a\n1\n")}
        answer = server.post("/v1/datasets/labels/imports", files=form)
        assert answer.status_code == 202 and answer.json()["label"] == text, (text, answer.text)
    for field in [b"a\0b", b"\xff"]:
        body = (b'--x\r\nContent-Disposition: form-data; name="label"\r\n\r\n' + field
                + b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
                  b"a\n1\n\r\n--x--\r\n")
        answer = server.post("/v1/datasets/labels/imports", data=body,
                             headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert answer.status_code == 400, answer.text
        assert answer.json()["errors"][0]["name"] == "label"


def test_a_cursor_of_another_dataset_is_refused(server):
    """The same columns, the same version number, the same question."""
    for name in ["here", "there"]:
        server.import_csv(name, b"id\n1\n2\n3\n", key="id")
    page = server.get("/v1/datasets/here/rows", params={"limit": 1}).json()["page"]
    for name, status in [("here", 200), ("there", 400)]:
        answer = server.get(f"/v1/datasets/{name}/rows", params={"cursor": page["next_cursor"]})
        assert answer.status_code == status, answer.text
