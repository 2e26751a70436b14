"""https: the certificate and its renewal, and what browsers are told to insist on."""

import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

import harness

YEAR = "max-age=31536000"
READ = "1" * 64


class TlsServer(harness.Server):
    """With a pair of its own, cert.pem and key.pem in `base`."""

    def __init__(self, settings=None):
        super().__init__()
        self.certificate = os.path.join(self.base, "cert.pem")
        self.key = os.path.join(self.base, "key.pem")
        self.settings.update({"http.tls_certificate": self.certificate,
                              "http.tls_key": self.key, **(settings or {})})
        self.write_config(harness.configure(self.settings).replace(
            "\nkeys: []\n", f'\nkeys: [{{client: reader, scope: read, key: "{READ}"}}]\n'))
        self.write_pair(1)

    def make_pair(self, serial, *options):
        """Files beside the pair, readable by the service's user; their paths."""
        paths = [f"{path}.{serial}" for path in (self.certificate, self.key)]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", *(options or ["-nodes"]), "-days", "30",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-set_serial", str(serial), "-out", paths[0], "-keyout", paths[1]],
                       check=True, capture_output=True, timeout=30)
        for path in paths:
            os.chmod(path, 0o600)
            if os.getuid() == 0:
                shutil.chown(path, "playmeter")
        return paths

    def write_pair(self, serial):
        for made, path in zip(self.make_pair(serial), (self.certificate, self.key)):
            os.replace(made, path)

    def serial(self):
        """Of the certificate that a new connection gets."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain, \
                context.wrap_socket(plain) as s:
            der = s.getpeercert(binary_form=True)
        told = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-serial"], input=der,
                              capture_output=True, check=True, timeout=10).stdout
        return int(told.split(b"=")[1], 16)

    def ask_raw(self, data):
        """The whole answer to these bytes, over TLS."""
        context = ssl._create_unverified_context()
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as plain, \
                context.wrap_socket(plain) as s:
            s.sendall(data)
            answer = b""
            try:
                while piece := s.recv(65536):
                    answer += piece
            except (ConnectionResetError, ssl.SSLEOFError):
                pass
        return answer.decode("latin-1")

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def request(self, method, path, **more):
        return super().request(method, path, verify=False, **more)


pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture
def tls():
    servers = []

    def start(settings=None):
        servers.append(TlsServer(settings))
        return servers[0].start()

    yield start
    for server in servers:
        server.close()


def hang_up(server, event):
    before = server.log().count(event)
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for(lambda: server.log().count(event) > before)


# The certificate

def test_a_renewed_pair_is_taken_without_a_failed_request(tls):
    server = tls()
    assert server.serial() == 1
    failed, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                assert server.get("/api/ping", timeout=10).status_code == 200
            except Exception as error:
                failed.append(repr(error))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        for serial in (2, 3):
            server.write_pair(serial)
            server.reload()
            server.wait_for(lambda s=serial: server.serial() == s)
    finally:
        stop.set()
        for thread in asking:
            thread.join()
    assert not failed, failed[:3]
    # Nothing has changed: nginx keeps its workers.
    before = server.pids("nginx")
    server.reload()
    assert server.pids("nginx") == before


@pytest.mark.parametrize("which", [0, 1])
def test_a_half_renewed_pair_is_refused_and_the_old_one_goes_on(tls, which):
    server = tls()
    pair = server.make_pair(2)
    paths = [server.certificate, server.key]
    os.replace(pair[which], paths[which])
    hang_up(server, '"event":"reload_refused"')
    assert "nginx refuses its configuration" in server.log() and "mismatch" in server.log()
    assert server.serial() == 1 and server.get("/readyz").status_code == 200
    os.replace(pair[1 - which], paths[1 - which])
    server.reload()
    server.wait_for(lambda: server.serial() == 2)
    assert not server.plain_lines()


def break_pair(server, how):
    if how == "pass phrase":
        os.replace(server.make_pair(2, "-passout", "pass:secret words")[1], server.key)
        return
    os.remove(server.key)
    makers = {"absent": lambda: None, "folder": lambda: os.mkdir(server.key),
              "pipe": lambda: os.mkfifo(server.key),
              "empty": lambda: open(server.key, "wb").close()}
    makers[how]()


@pytest.mark.parametrize("how, words", [
    ("absent", "no such file"), ("folder", "is a folder, a pipe or a device, not a file"),
    ("pipe", "is a folder, a pipe or a device, not a file"), ("empty", "cannot load certificate key"),
    ("pass phrase", "has a pass phrase")])
def test_files_that_hold_no_pair_are_refused_in_words(tls, how, words):
    server = tls()
    break_pair(server, how)
    hang_up(server, '"event":"reload_refused"')
    refusal = next(line for line in server.log().splitlines() if "reload_refused" in line)
    assert words in refusal and "key.pem" in refusal
    assert server.serial() == 1 and server.get("/readyz").status_code == 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes its user")
def test_a_key_that_the_service_cannot_read_is_named(tls):
    server = tls()
    os.chown(server.key, 0, 0)
    hang_up(server, '"event":"reload_refused"')
    assert f"http.tls_key: {server.key} cannot be read by the user that the service runs as" \
        in server.log()
    os.chown(server.key, pwd.getpwnam("playmeter").pw_uid, 0)
    server.reload()


def test_links_to_the_pair_are_followed(tls):
    """As certbot has them."""
    server = tls()
    for made, path in zip(server.make_pair(2), (server.certificate, server.key)):
        os.remove(path)
        os.symlink(made, path)
    server.reload()
    server.wait_for(lambda: server.serial() == 2)


# Strict-Transport-Security

def answers(server):
    """One of each kind: by a worker, by nginx, with and without headers of its own."""
    key = f"X-API-Key: {READ}\r\n"
    heads = {
        200: "GET /api/ping HTTP/1.1\r\n", 204: "OPTIONS /api/ping HTTP/1.1\r\n",
        400: "GET /%zz HTTP/1.1\r\n", 401: "GET /v1/jobs HTTP/1.1\r\nX-API-Key: wrong\r\n",
        403: f"POST /v1/datasets/x/imports HTTP/1.1\r\n{key}", 404: "GET /nope HTTP/1.1\r\n",
        405: "TRACE / HTTP/1.1\r\n",
        413: f"POST /api/ping HTTP/1.1\r\nContent-Length: 70000\r\n{key}",
        414: f"GET /{'a' * 9000} HTTP/1.1\r\n",
        431: f"GET / HTTP/1.1\r\nX-A: {'a' * 9000}\r\n",
        501: "POST /api/ping HTTP/1.1\r\nTransfer-Encoding: gzip\r\n",
    }
    told = {status: server.ask_raw(f"{head}Host: x\r\nConnection: close\r\n\r\n".encode())
            for status, head in heads.items()}
    os.rename(os.path.join(server.data, "run/play.sock"), os.path.join(server.data, "run/away"))
    told[502] = server.ask_raw(b"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    os.rename(os.path.join(server.data, "run/away"), os.path.join(server.data, "run/play.sock"))
    for _ in range(5):
        told[429] = server.ask_raw(b"GET /api/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return told


def hsts_of(answer):
    lines = answer.partition("\r\n\r\n")[0].split("\r\n")
    return [line.partition(": ")[2] for line in lines
            if line.lower().startswith("strict-transport-security:")]


def test_every_answer_over_tls_says_for_how_long_to_insist_on_it(tls):
    server = tls({"limits.reads": "1/s burst 3"})
    for status, answer in answers(server).items():
        assert answer.startswith(f"HTTP/1.1 {status} "), answer[:200]
        assert hsts_of(answer) == [YEAR], status


def test_a_call_without_tls_to_its_port_is_refused_and_told_nothing(tls):
    server = tls()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:
        s.sendall(b"GET /api/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = s.recv(65536).decode("latin-1")
    assert answer.startswith("HTTP/1.1 400 ") and "application/problem+json" in answer
    assert "This port speaks https" in answer
    assert hsts_of(answer) == []


@pytest.mark.parametrize("setting, wanted", [("0s", "max-age=0"), ("30m", "max-age=1800")])
def test_how_long_is_a_setting(tls, setting, wanted):
    answer = tls({"http.hsts": setting}).get("/livez")
    assert answer.headers["Strict-Transport-Security"] == wanted


def test_plain_http_never_says_it(server):
    assert "Strict-Transport-Security" not in server.get("/livez").headers
