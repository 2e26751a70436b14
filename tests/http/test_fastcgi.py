"""A worker spoken to without nginx: what comes over its socket is counted, not believed."""

import os
import socket
import struct

import pytest

BEGIN, PARAMS, STDIN = 1, 4, 5


def record(kind, data):
    return struct.pack(">BBHHBB", 1, kind, 1, len(data), 0, 0) + data


def length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def request(params, body=b""):
    """The records of one request; params is a list of pairs, names may repeat."""
    encoded = b""
    for name, value in params:
        encoded += length(len(name)) + length(len(value)) + name.encode() + value.encode()
    records = record(BEGIN, struct.pack(">HB5x", 1, 0))
    records += record(PARAMS, encoded) + record(PARAMS, b"")
    if body:
        records += record(STDIN, body)
    return records + record(STDIN, b"")


@pytest.fixture
def connect(own_server):
    connections = []

    def one():
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(os.path.join(own_server.data, "run", "query.sock"))
        connections.append(connection)
        return connection

    yield one
    for connection in connections:
        connection.close()


def read_all(connection):
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    return answer


ROLLBACK = [("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/v1/datasets/games/rollback"),
            ("PM_SCOPE", "admin")]


@pytest.mark.parametrize("claimed, code", [
    ("50", b"short_body"), ("3", b"short_body"), ("many", b"malformed"), ("-1", b"malformed"),
])
def test_a_body_that_is_not_as_long_as_it_says_is_refused(connect, claimed, code):
    connection = connect()
    connection.sendall(request(ROLLBACK + [("CONTENT_LENGTH", claimed)], b'{"version":1}'))
    answer = read_all(connection)
    assert b"Status: 400 " in answer and code in answer, answer


@pytest.mark.parametrize("name", ["HTTP_X_API_KEY", "HTTP_CONTENT_TYPE"])
def test_a_header_that_decides_comes_once(connect, name):
    connection = connect()
    connection.sendall(request(ROLLBACK + [(name, "a"), (name, "b")]))
    answer = read_all(connection)
    assert b"Status: 400 " in answer and b"duplicate_header" in answer, answer


def test_a_client_that_never_reads_is_given_up(server_with):
    server = server_with({}, query_workers=1)
    lines = "\n".join(f"{i},{'x' * 100}" for i in range(50000))
    server.import_csv("long", f"id,text\n{lines}\n".encode(), header="true")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.path.join(server.data, "run", "query.sock"))
        connection.sendall(request([("REQUEST_METHOD", "GET"), ("PM_SCOPE", "read"),
                                    ("REQUEST_URI", "/v1/datasets/long/rows?format=ndjson")]))
        assert connection.recv(1)
        # The only worker is busy with the one who does not read, for as long as it is patient.
        assert server.get("/livez", key=None, timeout=30).status_code in (200, 504)
        server.wait_for(lambda: server.get("/livez", key=None).status_code == 200, timeout=30)
