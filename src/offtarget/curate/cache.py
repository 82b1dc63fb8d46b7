"""What engines said of snippets before: one small database that several workers share."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Scanned, Snippet

MAX_BYTES = 1024 * 1024 * 1024
"""The cache is kept below this size by forgetting its oldest entries."""
FILE = "flaws-1.sqlite"
"""The number is the schema's."""

_CHECK_BYTES = 8
_KEYS_A_QUERY = 500
_TIMEOUT_S = 30.0


class FlawCache:
    """Answers of engines by the snippet, the engine and its version; never fails a scan.

    A cache that cannot be opened, read or written is as good as an empty one. A damaged file is
    begun anew; an entry that was changed on disk is ignored and written again.
    """

    def __init__(self, directory: Path, *, salt: str, max_bytes: int = MAX_BYTES) -> None:
        """Name the cache in `directory`; entries made under another `salt` are not seen."""
        self.path = directory / FILE
        self.salt = salt.encode()
        self.max_bytes = max_bytes

    def get(self, engine: Engine, snippets: Sequence[Snippet]) -> dict[Snippet, Scanned]:
        """Return what is known of some of `snippets`."""
        keys = {self._key(engine, snippet): snippet for snippet in snippets}
        found: dict[Snippet, Scanned] = {}
        names = list(keys)
        with self._opened() as database:
            if database is None:
                return {}
            for start in range(0, len(names), _KEYS_A_QUERY):
                block = names[start : start + _KEYS_A_QUERY]
                marks = ",".join("?" * len(block))
                query = f"SELECT key, value FROM flaws WHERE key IN ({marks})"  # noqa: S608
                for key, value in database.execute(query, block):
                    scanned = _unpack(value)
                    if scanned is not None:
                        found[keys[key]] = scanned
        return found

    def put(self, engine: Engine, answers: Mapping[Snippet, Scanned]) -> None:
        """Remember answers; forget the oldest if there are too many."""
        if not answers:
            return
        rows = [(self._key(engine, snippet), _pack(said)) for snippet, said in answers.items()]
        with self._opened() as database:
            if database is None:
                return
            with database:
                database.executemany("INSERT OR REPLACE INTO flaws VALUES (?, ?)", rows)
            self._shrink(database)

    def _shrink(self, database: sqlite3.Connection) -> None:
        """Forget the oldest entries, a fifth at a time; their pages are used again."""
        while _used_bytes(database) > self.max_bytes:
            with database:
                n_gone = database.execute(
                    "DELETE FROM flaws WHERE rowid IN (SELECT rowid FROM flaws ORDER BY rowid "
                    "LIMIT (SELECT count(*) / 5 + 1 FROM flaws))"
                ).rowcount
            if n_gone == 0:
                return

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection | None]:
        """Give a connection, or None if there is none to be had; swallow the database's errors."""
        database: sqlite3.Connection | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=_TIMEOUT_S)
            database.execute("PRAGMA synchronous = OFF")  # lost entries are found again
            database.execute("CREATE TABLE IF NOT EXISTS flaws (key BLOB UNIQUE, value BLOB)")
        except (sqlite3.Error, OSError) as error:
            self._discard(error)
            if database is not None:
                database.close()
            yield None
            return
        with closing(database):
            try:
                yield database
            except sqlite3.Error as error:
                self._discard(error)

    def _discard(self, error: Exception) -> None:
        """Remove a damaged file; one that is only locked, full or forbidden stays."""
        is_damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        )
        if is_damaged:
            self.path.unlink(missing_ok=True)
            self.path.with_name(self.path.name + "-journal").unlink(missing_ok=True)

    def _key(self, engine: Engine, snippet: Snippet) -> bytes:
        digest = hashlib.sha256()
        texts = (engine.name, engine.version, snippet.language, snippet.code)
        for part in (self.salt, *(text.encode("utf-8", "surrogatepass") for text in texts)):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        return digest.digest()


def _used_bytes(database: sqlite3.Connection) -> int:
    page_bytes, n_pages, n_free = (
        int(database.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_size", "page_count", "freelist_count")
    )
    return page_bytes * (n_pages - n_free)


def _pack(scanned: Scanned) -> bytes:
    body = msgspec.json.encode(scanned)
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES).digest() + body


def _unpack(value: object) -> Scanned | None:
    if not isinstance(value, bytes):
        return None
    check, body = value[:_CHECK_BYTES], value[_CHECK_BYTES:]
    if hashlib.blake2b(body, digest_size=_CHECK_BYTES).digest() != check:
        return None
    try:
        return msgspec.json.decode(body, type=Scanned)
    except msgspec.MsgspecError:
        return None
