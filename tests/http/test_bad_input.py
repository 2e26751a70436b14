"""Every bad input of the contract and its exact answer.  A file either costs its bad rows, which
are then listed with line, offset, column, reason and raw text; or it fails the job by name; or it
is refused at once.  Where it is not taken the dataset is what it was before."""

import gzip

import pytest

import harness
from test_api import assert_problem

pytestmark = pytest.mark.asan

MIB = 1 << 20
FILE_BYTES_MAX = 4 * MIB
BEFORE = b"id,name\n7,before\n"
HEAD = b"id,name\n"
# Every column is text where the rows of a case are to be compared.
IDS = "id:integer,name:text"


@pytest.fixture(scope="module")
def server():
    with harness.Server({"imports.file_bytes_max": "4MiB", "imports.rejects_max": "50",
                         "fetch.low_speed_time": "1s"}) as server:
        yield server


def state_of(server, dataset):
    """What a reader sees of it."""
    about = server.get(f"/v1/datasets/{dataset}").json()
    rows = server.get(f"/v1/datasets/{dataset}/rows").json()
    versions = server.get(f"/v1/datasets/{dataset}/versions").json()
    return about, rows, versions


@pytest.fixture(scope="module")
def kept(server):
    server.import_csv("kept", BEFORE)
    return state_of(server, "kept")


def rejects_of(server, job):
    answer = server.get(f"/v1/jobs/{job['id']}/rejects").json()
    assert answer["meta"]["total"] == job["rows_rejected"]
    return [(r["line"], r["offset"], r["column"], r["reason"], r["raw"]) for r in answer["data"]]


def check_receipt(job, rows, rejects):
    receipt = job["result"]
    duplicates = sum(reason == "duplicate_key" for _, _, _, reason, _ in rejects)
    assert receipt["rows_in"] == len(rows) + len(rejects), receipt
    assert receipt["accepted"] == receipt["rows"] == job["rows_done"] == len(rows), receipt
    assert receipt["duplicates"] == duplicates, receipt
    assert receipt["rejected"] == len(rejects) - duplicates, receipt


# name: (file, options, rows, rejects as (line, offset, column, reason, raw))
COSTS_ROWS = {
    "header only": (HEAD, {}, [], []),
    "header only, no line end": (b"id,name", {}, [], []),
    "blank lines": (b"\n\nid,name\n\r\n1,one\n\n\n2\n\n", {}, [(1, "one")],
                    [(8, 20, None, "wrong_cell_count", "2")]),
    "ragged rows": (HEAD + b"1,one\n2\n3,three,more\n4,four\n", {}, [(1, "one"), (4, "four")],
                    [(3, 14, None, "wrong_cell_count", "2"),
                     (4, 16, None, "wrong_cell_count", "3,three,more")]),
    "unclosed quote": (HEAD + b'1,one\n2,"two\n3,three\n', {}, [(1, "one"), (3, "three")],
                       [(3, 14, None, "unclosed_quote", '2,"two')]),
    "unclosed quote at the end": (HEAD + b'1,one\n2,"two', {}, [(1, "one")],
                                  [(3, 14, None, "unclosed_quote", '2,"two')]),
    "quote inside a cell": (HEAD + b'1,o"n"e\n2,"t"wo\n', {}, [(1, 'o"n"e'), (2, "two")], []),
    "NUL byte": (HEAD + b"1,one\n2,t\0wo\n3,three\n", {}, [(1, "one"), (3, "three")],
                 [(3, 14, None, "nul_byte", "2,t\ufffdwo")]),
    "invalid UTF-8": (HEAD + b"1,caf\xc3\xa9\n2,\xc3\xa9\xff\n3,\xc3\xb6\n", {},
                      [(1, "caf\u00e9"), (3, "\u00f6")],
                      [(3, 16, None, "invalid_utf8", "2,\u00e9\ufffd")]),
    "overlong UTF-8 and half a pair": (HEAD + b"1,\xc0\xaf\n2,\xed\xa0\x80\n3,three\n",
                                       {"encoding": "utf-8"}, [(3, "three")],
                                       [(2, 8, None, "invalid_utf8", "1,\ufffd\ufffd"),
                                        (3, 13, None, "invalid_utf8", "2,\ufffd\ufffd\ufffd")]),
    "BOM": (b"\xef\xbb\xbf" + HEAD + b"1,one\n2\n", {}, [(1, "one")],
            [(3, 17, None, "wrong_cell_count", "2")]),
    "BOM before a quote": (b'\xef\xbb\xbf"id","name"\n1,one\n', {}, [(1, "one")], []),
    "LF": (HEAD + b"1,one\n2\n3,three\n", {}, [(1, "one"), (3, "three")],
           [(3, 14, None, "wrong_cell_count", "2")]),
    "CR": (b"id,name\r1,one\r2\r3,three\r", {}, [(1, "one"), (3, "three")],
           [(3, 14, None, "wrong_cell_count", "2")]),
    "CRLF": (b"id,name\r\n1,one\r\n2\r\n3,three\r\n", {}, [(1, "one"), (3, "three")],
             [(3, 16, None, "wrong_cell_count", "2")]),
    "line ends of all kinds": (b"id,name\n1,one\r2\r\n3,three", {}, [(1, "one"), (3, "three")],
                               [(3, 14, None, "wrong_cell_count", "2")]),
    "newlines in cells": (HEAD + b'1,"one\nand\r\nmore"\n2\n3,"th""ree"\n', {},
                          [(1, "one\nand\r\nmore"), (3, 'th"ree')],
                          [(5, 26, None, "wrong_cell_count", "2")]),
    "UTF-16, little end first": ("\ufeffid,name\n1,\u20acone\n2\n".encode("utf-16-le"), {},
                                 [(1, "\u20acone")], [(3, 17, None, "wrong_cell_count", "2")]),
    "UTF-16, big end first": ("\ufeffid,name\n1,\u20acone\n2\n".encode("utf-16-be"), {},
                              [(1, "\u20acone")], [(3, 17, None, "wrong_cell_count", "2")]),
    "UTF-16 without BOM": ("id,name\n1,one\n2\n".encode("utf-16-le"), {},
                           [(1, "one")], [(3, 14, None, "wrong_cell_count", "2")]),
    "value of another type": (HEAD + b"1,one\nx,two\n9223372036854775808,three\n98.0,four\n",
                              {"types": IDS}, [(1, "one"), (98, "four")],
                              [(3, 14, "id", "bad_value", "x,two"),
                               (4, 20, "id", "bad_value", "9223372036854775808,three")]),
    "keys": (HEAD + b"1,a\n2,b\n1,c\n,d\nx,e\n", {"types": IDS, "key": "id"},
             [(2, "b"), (1, "c")],
             [(2, 8, "id", "duplicate_key", "1,a"), (5, 20, "id", "empty_key", ",d"),
              (6, 23, "id", "bad_value", "x,e")]),
    "too many cells": (HEAD + b"," * 70000 + b"\n1,one\n", {}, [(1, "one")],
                       [(2, 8, None, "too_many_cells", "," * 4096)]),
}


@pytest.mark.parametrize("case", COSTS_ROWS)
def test_a_bad_row_is_listed_and_costs_nothing_else(server, case):
    data, options, rows, rejects = COSTS_ROWS[case]
    job = server.import_csv("taken", data, **options)
    assert job["error"] is None
    assert rejects_of(server, job) == rejects
    page = server.get("/v1/datasets/taken/rows").json()
    assert [(r["id"], r["name"]) for r in page["data"]] == rows
    assert page["meta"] == {"total": len(rows), "version": job["result"]["version"]}
    check_receipt(job, rows, rejects)


@pytest.mark.parametrize("opens, closes", [(b"", b""), (b'"', b'"')])
def test_a_cell_of_a_mebibyte_is_kept_and_a_larger_one_is_a_reject(server, opens, closes):
    data = HEAD
    for number, size in ((1, MIB), (2, MIB + 1)):
        data += b"%d,%s%s%s\n" % (number, opens, b"x" * size, closes)
    job = server.import_csv("taken", data + b"3,three\n")
    raw = (b"2," + opens + b"x" * MIB)[:4096].decode()
    offset = data.index(b"\n2,") + 1
    assert rejects_of(server, job) == [(3, offset, None, "cell_too_long", raw)]
    rows = server.get("/v1/datasets/taken/rows").json()["data"]
    assert [len(r["name"]) for r in rows] == [MIB, 5]


@pytest.mark.parametrize("header, names, headers", [
    (b"id,name,Name,name", ["id", "name", "name_2", "name_3"], ["id", "name", "Name", "name"]),
    (b"id,, ,name", ["id", "column_2", "column_3", "name"], ["id", "", " ", "name"]),
    (b"id,column_3,,name_2", ["id", "column_3", "column_3_2", "name_2"],
     ["id", "column_3", "", "name_2"]),
    ("id,Größe (€),2nd,select".encode(), None, ["id", "Größe (€)", "2nd", "select"]),
    (b"id," + b"n" * 3000 + b"," + b"n" * 3001 + b",x", None,
     ["id", "n" * 3000, "n" * 3001, "x"]),
])
def test_duplicate_and_blank_headers_become_names_of_their_own(server, header, names, headers):
    server.import_csv("headed", header + b"\n1,a,b,c\n")
    columns = server.get("/v1/datasets/headed").json()["columns"]
    assert [c["header"] for c in columns] == headers
    found = [c["name"] for c in columns]
    assert len(set(found)) == len(found) and (names is None or found == names)
    row = server.get("/v1/datasets/headed/rows").json()["data"][0]
    assert list(row.values()) == [1, "a", "b", "c"]


GAMES = (b"AppID,Name,Release date,Required age,Price,DLC count,About the game,"
         b"Supported languages,Windows,Mac,Linux,Positive,Negative,Score rank,Developers,"
         b"Publishers,Categories,Genres,Tags")
GAME = b'20,Ricochet,"Nov 1, 2000",0,4.99,0,,[],True,yes,FALSE,5,1,,Valve,Valve,,Action,'


def test_a_declared_dataset_finds_its_columns_whatever_their_case_and_order(server):
    head = b"extra,PRICE," + GAMES.replace(b"Release date", b" release  DATE ")
    job = server.import_csv("games", head + b"\nx,1.5," + GAME + b"\n")
    assert job["result"]["ignored_columns"] == ["extra", "Price"]
    rows = server.get("/v1/datasets/games/rows").json()["data"]
    assert [(r["app_id"], r["price"], r["release_date"]) for r in rows] == [(20, 1.5, "2000-11-01")]


GOOD_GZIP = gzip.compress(HEAD + b"".join(b"%d,row %d\n" % (i, i * i) for i in range(1000)))

# name: (file, options, error code, words of its detail)
FAILS = {
    "blank lines alone": (b"\n\n\r\n\r", {}, "empty_file", ["no rows", "header"]),
    "BOM alone": (b"\xef\xbb\xbf", {}, "empty_file", ["no rows"]),
    "nothing in a gzip": (gzip.compress(b""), {}, "empty_file", ["no rows"]),
    "NUL around commas": (b"id,n\r\n7\0,\00088\r\n5\0,\00066\r\n3\0,\00044\r\n", {}, "all_rows_rejected", ["nul_byte"]),
    "NUL in the header": (b"id,na\0me\n1,one\n", {}, "bad_header", ["first row", "nul_byte"]),
    "invalid UTF-8 in the header": ("id,Größe,Maß".encode() + b"\xff\n1,2,3\n", {}, "bad_header",
                                    ["first row", "invalid_utf8", "encoding"]),
    "a cell of the header too long": (b"id," + b"n" * (MIB + 1) + b"\n1,one\n", {}, "bad_header",
                                      ["cell_too_long"]),
    "UTF-16 of odd length": ("\ufeffid,name\n".encode("utf-16-le") + b"\n", {}, "bad_encoding",
                             ["UTF-16", "ends inside a character"]),
    "UTF-16 with half a pair": ("\ufeffid,name\n1,".encode("utf-16-le") + b"\x00\xd8\n\0", {},
                                "bad_encoding", ["surrogate", "byte 22"]),
    "no ASCII": (HEAD + b"1,\xc3\xa9\n", {"encoding": "ascii"}, "bad_encoding", ["byte"]),
    "random bytes": (bytes((i * i * 7 + i // 3) % 251 for i in range(4096)), {}, "not_csv",
                     ["binary data"]),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64), {}, "not_csv", ["PNG image"]),
    "Excel": (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml", {}, "not_csv",
              ["Excel workbook", "save it as CSV"]),
    "ZIP": (b"PK\x03\x04" + bytes(40), {}, "not_csv", ["ZIP archive"]),
    "HTML": (b"\n <!DOCTYPE html>\n<html><body>Sign in, please</body></html>\n", {}, "not_csv",
             ["HTML page", "the link"]),
    "JSON": (b'{"id": 1, "name": "one"}\n', {}, "not_csv", ["JSON document"]),
    "gzip in a gzip": (gzip.compress(GOOD_GZIP), {}, "not_csv", ["gzip archive inside"]),
    "gzip bomb": (gzip.compress(HEAD + b"1,the same row\n" * (2 * MIB)), {}, "too_large",
                  [str(FILE_BYTES_MAX), "decoded"]),
    "too large": (HEAD + b"1,one\n" * (FILE_BYTES_MAX // 6), {}, "too_large",
                  [str(FILE_BYTES_MAX)]),
    "cut gzip": (GOOD_GZIP[:-300], {}, "bad_gzip", ["cut short", str(len(GOOD_GZIP) - 300)]),
    "gzip's head alone": (GOOD_GZIP[:5], {}, "bad_gzip", ["cut short", "5 bytes"]),
    "damaged gzip": (GOOD_GZIP[:-8] + bytes(8), {}, "bad_gzip", ["damaged"]),
    "gzip with more behind": (GOOD_GZIP + b"more", {}, "bad_gzip", ["something else follows"]),
    "too many columns": (b",".join(b"c%d" % i for i in range(2001)) + b"\n", {},
                         "too_many_columns", ["2001", "2000"]),
    "far too many columns": (b"," * 70000 + b"\n", {}, "too_many_columns", ["more than 65536", "2000"]),
    "types of an unknown column": (HEAD + b"1,one\n", {"types": "nmae:text"}, "unknown_column",
                                   ["types", "nmae", "name"]),
    "types by header and by name": (b"id,Full Name\n1,one\n",
                                    {"types": "Full Name:text,full_name:list"}, "bad_parameter",
                                    ["types", "full_name", "twice"]),
    "unknown key": (HEAD + b"1,one\n", {"key": "idd"}, "unknown_column", ["key", "idd", "id"]),
    "upsert without key": (HEAD + b"1,one\n", {"mode": "upsert"}, "bad_parameter", ["key"]),
    "append without a column": (b"id,nmae\n1,one\n", {"mode": "append"}, "missing_columns",
                                ["'name'", "nearest: 'nmae'"]),
    "append in another order without header": (b"1,one,more\n", {"mode": "append",
                                                                "header": "false"},
                                               "missing_columns", ["2 columns", "3 cells"]),
    "on_error=abort": (HEAD + b"1,one\n2\n3,three\n", {"on_error": "abort"}, "bad_row",
                       ["line 3", "1 cells"]),
    "max_errors": (HEAD + b"1,one\n2\n3\n4\n", {"max_errors": "2"}, "too_many_errors",
                   ["line 5", "max_errors"]),
}


@pytest.mark.parametrize("case", FAILS)
def test_a_bad_file_fails_its_job_and_changes_nothing(server, kept, case):
    data, options, code, words = FAILS[case]
    job = server.import_csv("kept", data, expect="failed", **options)
    assert job["error"]["code"] == code, job
    for word in words:
        assert word in job["error"]["detail"], job["error"]
    assert job["result"] is None and job["finished_at"]
    assert state_of(server, "kept") == kept


def test_exactly_the_most_is_taken(server):
    """Of bytes, plain or once decoded, and of columns."""
    data = HEAD + b"1,abcd\n" * ((FILE_BYTES_MAX - len(HEAD)) // 7)
    data += b"\n" * (FILE_BYTES_MAX - len(data))
    for file in (data, gzip.compress(data, 1)):
        assert server.import_csv("most", file)["result"]["rows"] == data.count(b"1,abcd")
    for file in (data + b"\n", gzip.compress(data + b"\n", 1)):
        assert server.import_csv("most", file, expect="failed")["error"]["code"] == "too_large"
    names = [f"c{i}" for i in range(2000)]
    server.import_csv("most", ",".join(names).encode() + b"\n" + b"7," * 1999 + b"7\n")
    assert server.get("/v1/datasets/most/rows").json()["data"] == [dict.fromkeys(names, 7)]


def test_the_row_that_stopped_an_import_is_listed(server):
    job = server.import_csv("stopped", HEAD + b"1,one\n2\n3,three\n", expect="failed",
                            on_error="abort")
    assert rejects_of(server, job) == [(3, 14, None, "wrong_cell_count", "2")]


@pytest.mark.parametrize("options", [{}, {"mode": "append"}, {"key": "id", "mode": "replace"}])
def test_a_file_of_rejects_alone_leaves_the_dataset_as_it_was(server, options):
    name = "all_rejected_" + "_".join(options)
    server.import_csv(name, HEAD + b"1,one\n2,two\n", key="id")
    before = state_of(server, name)
    job = server.import_csv(name, HEAD + b"3\n4\n5\n", expect="failed", header="true",
                            delimiter=",", **options)
    assert job["error"]["code"] == "all_rows_rejected"
    for words in ("none of the 3 rows", "line 2: wrong_cell_count", "stays as it was"):
        assert words in job["error"]["detail"], job["error"]
    assert rejects_of(server, job) == [(line, 2 * line + 4, None, "wrong_cell_count", raw)
                                       for line, raw in ((2, "3"), (3, "4"), (4, "5"))]
    assert state_of(server, name) == before


def test_files_without_rows_and_of_known_rows_are_taken(server):
    """Neither holds a row that is wrong."""
    server.import_csv("known", HEAD + b"1,one\n2,two\n", key="id")
    again = server.import_csv("known", HEAD + b"1,one\n2,two\n", mode="append")
    assert (again["result"]["duplicates"], again["result"]["rows"]) == (2, 2)
    none = server.import_csv("known", HEAD, header="true", delimiter=",")
    assert (none["result"]["rows_in"], none["result"]["rows"]) == (0, 0)


def test_rejects_are_capped_in_the_list_and_not_in_the_count(server):
    job = server.import_csv("capped", HEAD + b"1\n" * 75 + b"1,one\n", header="true", delimiter=",")
    answer = server.get(f"/v1/jobs/{job['id']}/rejects?limit=1000").json()
    assert answer["meta"]["total"] == job["rows_rejected"] == 75
    assert [r["line"] for r in answer["data"]] == list(range(2, 52))


def test_missing_columns_are_named_with_the_nearest_headers(server):
    server.import_csv("games", GAMES + b"\n" + GAME + b"\n")
    before = state_of(server, "games")
    bad = GAMES.replace(b"Release date", b"Relaese date").replace(b",Tags", b"")
    job = server.import_csv("games", bad + b"\n" + GAME[:-1] + b"\n", expect="failed")
    assert job["error"]["code"] == "missing_columns"
    assert "'Release date' (nearest: 'Relaese date'), 'Tags'" in job["error"]["detail"]
    assert state_of(server, "games") == before


# At once

@pytest.mark.parametrize("options, words", [
    ({"types": "id:number"}, ["integer, real", "'number'", "'id'"]),
    ({"types": "id"}, ["'id'"]),
    ({"types": ":text"}, ["'text'"]),
    ({"types": '{"id":'}, ["JSON object"]),
    ({"types": '{"id":7}'}, ["'7'", "'id'"]),
    ({"types": "id:text,name:text,id:real"}, ["'id'", "once"]),
    ({"nulls": '["a",1]'}, ["list of strings"]),
    ({"nulls": ",".join(str(i) for i in range(101))}, ["at most 100"]),
    ({"encoding": "ebcdic"}, ["utf-16", "'ebcdic'"]),
    ({"delimiter": ",,"}, ["one character", "',,'"]),
    ({"delimiter": "\n"}, ["one character"]),
    ({"delimiter": "§"}, ["one character of ASCII", "'§'"]),
    ({"quote": '""'}, ["one character"]),
    ({"header": "yes"}, ["true", "'yes'"]),
    ({"decimal": ";"}, ["';'"]),
    ({"mode": "merge"}, ["upsert", "'merge'"]),
    ({"on_error": "stop"}, ["abort", "'stop'"]),
    ({"max_errors": "0"}, ["from 1"]),
    ({"max_errors": "some"}, ["'some'"]),
    ({"max_errors": "99999999999999999999"}, ["'99999999999999999999'"]),
    ({"label": "x" * 257}, ["256"]),
])
def test_a_bad_option_is_refused_at_once(server, kept, options, words):
    name, value = next(iter(options.items()))
    ways = [{"data": BEFORE, "params": options, "headers": {"Content-Type": "text/csv"}},
            {"files": {"file": ("a.csv", BEFORE)}, "data": options},
            {"json": {"url": "http://127.0.0.1:1/a.csv", **options}}]
    for more in ways:
        answer = server.post("/v1/datasets/kept/imports", **more)
        problem = assert_problem(answer, 400, "bad_parameter", name)
        assert [e["name"] for e in problem["errors"]] == [name], (value, problem)
        for word in words:
            assert word in problem["detail"], problem
    assert state_of(server, "kept") == kept


PART = ("a.csv", BEFORE)


@pytest.mark.parametrize("more, status, code, words", [
    ({"files": {"file": PART}, "data": {"url": "http://127.0.0.1:1/"}}, 400, "bad_parameter",
     ["a file or a url, got both"]),
    ({"files": [("file", PART), ("file", PART)]}, 422, "duplicate_field", ["one file"]),
    ({"files": {"label": (None, "x")}}, 422, "missing_field", ["'file'", "curl -F file=@FILE"]),
    ({"files": {"file": ("a.csv", b"")}}, 422, "empty_file", ["empty"]),
    ({"data": b"", "headers": {"Content-Type": "text/csv"}}, 422, "empty_file", ["empty"]),
    ({"files": {"file": PART}, "params": {"label": "a"}, "data": {"label": "b"}}, 400,
     "duplicate_parameter", ["label", "once"]),
    ({"files": {"file": PART}, "data": {"lable": "a"}}, 400, "unknown_option",
     ["'lable'", "did you mean 'label'"]),
    ({"data": BEFORE, "params": {"delimeter": ","}, "headers": {"Content-Type": "text/csv"}}, 400,
     "unknown_parameter", ["'delimeter'", "did you mean 'delimiter'"]),
    ({"json": {"url": "http://127.0.0.1:1/", "lable": "a"}}, 400, "unknown_option",
     ["'lable'", "did you mean 'label'"]),
    ({"data": {"a": "b"}}, 415, "unsupported_media_type",
     ["x-www-form-urlencoded", "curl -T FILE", "--data-binary @FILE"]),
    ({"data": BEFORE, "headers": {"Content-Type": "application/pdf"}}, 415,
     "unsupported_media_type", ["application/pdf"]),
    ({"data": BEFORE, "headers": {"Content-Type": "text/csv", "Content-Encoding": "br"}}, 415,
     "unsupported_media_type", ["gzip or none", "'br'"]),
    ({"data": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "malformed",
     ["boundary"]),
    ({"data": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400,
     "malformed", []),
    ({"data": b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nid,name\n',
      "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400, "malformed", []),
    ({"data": b"x" * (FILE_BYTES_MAX + 2 * MIB), "headers": {"Content-Type": "text/csv"}}, 413,
     "too_large", ["larger"]),
])
def test_a_bad_body_is_refused_at_once(server, kept, more, status, code, words):
    problem = assert_problem(server.post("/v1/datasets/kept/imports", **more), status, code)
    for word in words:
        assert word in problem["detail"], problem
    assert state_of(server, "kept") == kept


@pytest.mark.parametrize("name, said", [("Small", "Small"), ("1st", "1st"), ("_a", "_a"),
                                        ("a-b", "a-b"), ("a.b", "a.b"), ("a%20b", "a b"),
                                        ("%C3%A9", "é"), ("a" * 64, "a" * 64)])
def test_a_bad_name_is_refused_and_makes_nothing(server, name, said):
    before = server.get("/v1/datasets").json()
    for more in ({"data": BEFORE}, {"json": {"url": "http://127.0.0.1:1/a.csv"}}):
        answer = server.post(f"/v1/datasets/{name}/imports", **more)
        assert_problem(answer, 422, "bad_dataset_name", f"got '{said}'")
    assert server.get("/v1/datasets").json() == before


def test_the_longest_name_is_taken(server):
    server.import_csv("a" * 63, BEFORE)
    assert server.get(f"/v1/datasets/{'a' * 63}").json()["rows"] == 1
