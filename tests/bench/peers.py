"""The peers: each has the catalogue loaded with types, in memory, and answers `ask(question)` with
(milliseconds, answer).  What a peer needs and this machine does not have is said, and its lines
are left out."""

import json
import os
import re
import shutil
import subprocess
import time

from probe import BUILD, harness

HERE = os.path.dirname(os.path.abspath(__file__))
# The columns that the questions are about, and how SQL makes them out of the file's text.
COLUMNS = [("AppID", "app_id", "BIGINT"), ("Name", "name", "TEXT"), ("Price", "price", "DOUBLE"),
           ("DLC count", "dlc_count", "BIGINT"), ("Positive", "positive", "BIGINT"),
           ("Negative", "negative", "BIGINT"), ("About the game", "about_game", "TEXT"),
           ("Categories", "categories", "TEXT"), ("Genres", "genres", "TEXT"),
           ("Tags", "tags", "TEXT")]


def typed(source):
    """CREATE TABLE games; empty numbers are null, as in the product."""
    parts = ", ".join(f'"{header}" AS {name}' if kind == "TEXT" else
                      f"CAST(NULLIF(\"{header}\", '') AS {kind}) AS {name}"
                      for header, name, kind in COLUMNS)
    return f"CREATE TABLE games AS SELECT {parts} FROM {source}"


class Sqlite:
    """The shell, for the whole run; it says itself what a statement took (.timer on)."""

    names = ["sqlite3 shell"]
    END = "-- end of answer --"

    def __init__(self, database):
        self.process = subprocess.Popen(["sqlite3", ":memory:"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)
        self.send(".mode json")
        self.send(f"ATTACH '{database}' AS file;")
        self.send(typed("file.games") + ";")
        self.send("DETACH file;")
        self.send(".timer on")
        self.about = "SQLite " + self.send("SELECT sqlite_version() v;").split('"')[3]

    def send(self, line):
        self.process.stdin.write(f"{line}\n.print {self.END}\n")
        self.process.stdin.flush()
        lines = []
        for text in self.process.stdout:
            if text.strip() == self.END:
                return "".join(lines)
            lines.append(text)
        raise AssertionError(f"sqlite3 is gone: {''.join(lines)}")

    def ask(self, sql, _row):
        output = self.send(sql + ";")
        rows, _, took = output.partition("Run Time: real ")
        assert took, output
        return float(took.split()[0]) * 1000, [list(row.values()) for row in json.loads(rows)]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class DuckDB:
    """In memory, with all cores, from npm's @duckdb/node-api in build/bench."""

    names = ["DuckDB"]

    def __init__(self, path=None):
        """With a path, the catalogue is loaded."""
        package = os.path.join(BUILD, "node_modules", "@duckdb", "node-api", "package.json")
        if not shutil.which("node") or not shutil.which("npm"):
            raise LookupError("node and npm are not here")
        if not os.path.exists(package):
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", BUILD,
                                   "@duckdb/node-api"], capture_output=True, text=True, timeout=180)
            if done.returncode != 0:
                raise LookupError("npm install @duckdb/node-api: " + done.stderr[-200:])
        self.process = subprocess.Popen(["node", os.path.join(HERE, "duckdb_peer.mjs")], cwd=BUILD,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = "DuckDB " + self.ask("SELECT version()", None)[1][0][0]
        if path:
            self.load_games(path)

    def load_games(self, path):
        source = f"read_csv('{path}', all_varchar=true, header=true, nullstr='\\N')"
        self.ask(typed(source), None)
        # An element that stands twice in a row counts once, an empty one never.
        split = ", ".join(f"list_distinct(list_filter(string_split({c}, ','), e -> e <> '')) AS {c}"
                          for c in ("genres", "tags"))
        self.ask(f"CREATE OR REPLACE TABLE games AS SELECT * REPLACE ({split}) FROM games", None)

    def ask(self, sql, _row):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, (sql, answer)
        return answer["ms"], answer["rows"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Python:
    """NumPy, SciPy, pandas and scikit-learn in this process; a question is a function of it."""

    names = ["NumPy and SciPy", "NumPy", "pandas", "scikit-learn"]

    def __init__(self, path):
        try:
            import numpy
            import pandas
            import scipy
            import scipy.stats
            import sklearn
        except ImportError as e:
            raise LookupError(str(e)) from e
        self.np, self.stats = numpy, scipy.stats
        frame = pandas.read_csv(path, keep_default_na=False, dtype={
            header: {"TEXT": str, "BIGINT": "int64", "DOUBLE": "float64"}[kind]
            for header, _, kind in COLUMNS}, usecols=[header for header, _, _ in COLUMNS])
        self.frame = frame.rename(columns={header: name for header, name, _ in COLUMNS})
        self.arrays = {n: self.frame[n].to_numpy() for n in
                       ("price", "dlc_count", "positive", "negative")}
        self.exploded = {}
        for column in ("genres", "tags"):
            lists = self.frame[column].str.split(",").map(
                lambda elements: list(dict.fromkeys(e for e in elements if e)))
            self.exploded[column] = self.frame[["price"]].assign(
                **{column: lists}).explode(column).dropna(subset=[column])
        self.fit_s = self.fit()
        self.about = (f"NumPy {numpy.__version__}, SciPy {scipy.__version__}, "
                      f"pandas {pandas.__version__}, scikit-learn {sklearn.__version__}")

    def fit(self):
        """The vectors of all rows; the seconds it took."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        f = self.frame
        texts = f.about_game + " " + f.categories + " " + f.genres + " " + f.tags
        began = time.perf_counter()
        self.vectors = TfidfVectorizer(stop_words="english").fit_transform(texts)
        return time.perf_counter() - began

    def ask(self, function, row):
        began = time.perf_counter()
        answer = function(self, row)
        return (time.perf_counter() - began) * 1000, answer

    def close(self):
        pass


def filtered_statistics(peer, _row):
    mask = peer.arrays["price"] > 1
    return statistics_of(peer, [column[mask] for column in peer.arrays.values()])


def all_statistics(peer, _row):
    return statistics_of(peer, peer.arrays.values())


def statistics_of(peer, columns):
    np, stats, answer = peer.np, peer.stats, []
    for x in columns:
        quarters = np.percentile(x, [25, 50, 75])
        least, most = x.min(), x.max()
        answer.append([len(x), len(np.unique(x)), least, most, most - least, x.sum(), x.mean(),
                       np.median(x), x.var(), x.std(), quarters[2] - quarters[0], *quarters,
                       stats.skew(x), stats.kurtosis(x)])
    return answer


def mean_price_by_genre(peer, _row):
    table = peer.exploded["genres"].groupby("genres").price.agg(["count", "mean"])
    return sorted(([g, n, m] for g, n, m in table.itertuples()), key=lambda row: row[0].lower())


def facet_counts(peer, _row):
    return [peer.exploded[c][c].value_counts().head(10).tolist() for c in ("genres", "tags")]


def histogram_counts(peer, _row):
    return peer.np.histogram(peer.arrays["price"], bins=20)[0].tolist()


def similar_scores(peer, row):
    """Vectors have length 1: the product is the cosine."""
    scores = (peer.vectors @ peer.vectors[row].T).toarray().ravel()
    scores[row] = -1
    best = peer.np.argpartition(scores, -10)[-10:]
    best = best[peer.np.argsort(-scores[best])]
    return scores[best].tolist()


def import_by_shell(path, database):
    """Seconds of the shell's own .import into a fresh database, as a user would."""
    for end in ("", "-wal", "-shm", "-journal"):
        if os.path.exists(database + end):
            os.unlink(database + end)
    began = time.perf_counter()
    subprocess.run(["sqlite3", database, ".mode csv", f".import {path} games"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
    return time.perf_counter() - began


def gzip_seconds(path):
    """Of the whole file, thrown away as the client throws away its export."""
    began = time.perf_counter()
    subprocess.run(["gzip", "-1", "-c", path], stdout=subprocess.DEVNULL, check=True, timeout=600)
    return time.perf_counter() - began


def tell_skipped(why):
    print(f"skipped: a peer cannot run here: {re.sub(chr(10), ' ', str(why))}")


def start(path, database):
    """name -> peer, of those that can run here."""
    peers = {}
    for make in (lambda: Sqlite(database), lambda: DuckDB(path), lambda: Python(path)):
        try:
            peer = make()
        except LookupError as e:
            tell_skipped(e)
            continue
        peers.update((name, peer) for name in peer.names)
    return peers
