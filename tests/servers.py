"""An HTTP server of good and bad files on loopback, for imports by URL.

`source.put("/a.csv", b"...")` serves a file; `source.url("/a.csv")` is its address.  The rest of
its paths misbehave, each in one way: see BEHAVIOURS.  `source.seen` lists the requested paths.
"""

import gzip
import http.server
import threading

PIECE = b"1,the same row again and again\n" * 512
# Thousandfold.
BOMB_BYTES = 256 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        source = self.server.source
        source.seen.append(self.path)
        self.close_connection = True
        behave = BEHAVIOURS.get(self.path.partition("?")[0])
        try:
            if self.path in source.files:
                self.answer(200, source.files[self.path])
            elif behave:
                behave(self)
            else:
                self.answer(404, b"no such file\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has had enough, as it should

    def head(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def answer(self, status, body):
        self.head(status, Content_Type="text/csv", Content_Length=str(len(body)))
        self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def chunked(self):
        """No length announced; a row may span chunks."""
        self.head(200, Transfer_Encoding="chunked")
        for piece in (b"id,te", b"xt\n1,on", b"e\n2,two\n"):
            self.chunk(piece)
        self.wfile.write(b"0\r\n\r\n")

    def endless(self):
        self.head(200, Transfer_Encoding="chunked")
        self.chunk(b"id,text\n")
        while True:
            self.chunk(PIECE)

    def cut(self):
        """Less than the announced length."""
        self.head(200, Content_Length="100000")
        self.wfile.write(b"id,text\n1,one\n")

    def cut_chunked(self):
        self.head(200, Transfer_Encoding="chunked")
        self.chunk(b"id,text\n1,one\n")

    def slow(self):
        """A byte now and then, until the client hangs up or the test is over."""
        self.head(200, Content_Length="100000")
        while not self.server.is_over.wait(0.2):
            self.wfile.write(b"x")
            self.wfile.flush()

    def paced(self):
        """Two seconds of rows, as over a slow line; the length is announced."""
        pieces = [b"id,text\n", *[PIECE] * 40]
        self.head(200, Content_Length=str(sum(map(len, pieces))))
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            if self.server.is_over.wait(0.05):
                return

    def silent(self):
        self.server.is_over.wait(60)

    def too_big(self):
        self.head(200, Content_Length="100000000000")
        while True:
            self.wfile.write(PIECE)

    def bomb(self):
        self.answer(200, self.server.source.bomb())

    def gone(self):
        self.answer(404, b"<html>gone</html>")

    def broken(self):
        self.answer(500, b"oops")

    def redirect(self, location):
        self.head(302, Location=location, Content_Length="0")


BEHAVIOURS = {
    "/chunked.csv": Handler.chunked,
    "/endless.csv": Handler.endless,
    "/cut.csv": Handler.cut,
    "/cut-chunked.csv": Handler.cut_chunked,
    "/slow.csv": Handler.slow,
    "/paced.csv": Handler.paced,
    "/silent.csv": Handler.silent,
    "/too-big.csv": Handler.too_big,
    "/bomb.csv.gz": Handler.bomb,
    "/404.csv": Handler.gone,
    "/500.csv": Handler.broken,
    "/to-chunked": lambda h: h.redirect("/chunked.csv"),
    "/to-private": lambda h: h.redirect("http://10.0.0.1/x.csv"),
    "/to-metadata": lambda h: h.redirect("http://169.254.169.254/latest/meta-data/"),
    "/to-file": lambda h: h.redirect("file:///etc/passwd"),
    "/to-nobody": lambda h: h.redirect("http://nobody.invalid/x.csv"),
    "/to-secret": lambda h: h.redirect("/none.csv?s3cret"),
    "/to-itself": lambda h: h.redirect("/to-itself"),
}


class Source:
    def __init__(self):
        self.files = {}
        self.seen = []
        self.bomb_bytes = None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.source = self
        self.server.is_over = threading.Event()
        Handler.log_message = lambda *_: None
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.is_over.set()
        self.server.shutdown()
        self.server.server_close()

    def put(self, path, data):
        self.files[path] = data
        return self.url(path)

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def bomb(self):
        if self.bomb_bytes is None:
            self.bomb_bytes = gzip.compress(b"id,text\n" + PIECE * (BOMB_BYTES // len(PIECE)), compresslevel=1)
        return self.bomb_bytes
