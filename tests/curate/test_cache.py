"""The cache: never wrong, never fatal, never unbounded."""

import sqlite3
import threading
from pathlib import Path

from offtarget.codescan.flaw import Scanned, Snippet
from offtarget.curate.cache import FlawCache

from .engine_stub import WordEngine

SNIPPETS = [Snippet("python", f"bad({number})\n") for number in range(1200)]


def filled(folder: Path) -> tuple[FlawCache, dict[Snippet, Scanned]]:
    cache = FlawCache(folder, salt="s")
    engine = WordEngine()
    said = dict(zip(SNIPPETS, engine.scan(SNIPPETS), strict=True))
    cache.put(engine, said)
    return cache, said


def test_what_was_put_is_got_by_the_same_engine_alone(tmp_path: Path) -> None:
    """Another version, engine, language, code or salt is another question."""
    cache, said = filled(tmp_path)

    assert cache.get(WordEngine(), SNIPPETS) == said
    assert cache.get(WordEngine(version="2"), SNIPPETS) == {}
    assert cache.get(WordEngine("other"), SNIPPETS) == {}
    assert cache.get(WordEngine(), [Snippet("go", "bad(1)\n"), Snippet("python", "bad(1)")]) == {}
    assert FlawCache(tmp_path, salt="t").get(WordEngine(), SNIPPETS) == {}


def test_an_entry_changed_on_disk_is_ignored_and_written_again(tmp_path: Path) -> None:
    """A flipped letter in a stored answer cannot change a finding."""
    cache, said = filled(tmp_path)
    with sqlite3.connect(cache.path) as database:
        query = "UPDATE flaws SET value = CAST(replace(CAST(value AS TEXT), 'CWE-89', 'CWE-00')"
        database.execute(f"{query} AS BLOB) WHERE rowid <= 10")
        database.execute("UPDATE flaws SET value = 7 WHERE rowid = 11")
    database.close()

    found = cache.get(WordEngine(), SNIPPETS)
    cache.put(WordEngine(), said)

    assert len(found) == len(SNIPPETS) - 11
    assert found.items() <= said.items()
    assert cache.get(WordEngine(), SNIPPETS) == said


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    """Garbage and a torn database are as good as an empty cache, and are usable again at once."""
    cache, said = filled(tmp_path)
    whole = cache.path.read_bytes()
    for content in (b"garbage" * 1000, whole[:5000] + b"\xff" * (len(whole) - 5000)):
        cache.path.write_bytes(content)

        found = cache.get(WordEngine(), SNIPPETS)
        cache.put(WordEngine(), said)
        cache.put(WordEngine(), said)

        assert found.items() <= said.items()
        assert cache.get(WordEngine(), SNIPPETS) == said


def test_a_cache_that_cannot_be_opened_is_no_error(tmp_path: Path) -> None:
    """A scan needs no cache."""
    (tmp_path / "file").write_bytes(b"")
    cache = FlawCache(tmp_path / "file", salt="s")

    cache.put(WordEngine(), {SNIPPETS[0]: WordEngine().scan(SNIPPETS[:1])[0]})

    assert cache.get(WordEngine(), SNIPPETS) == {}


def test_the_oldest_entries_are_forgotten(tmp_path: Path) -> None:
    """The file stops growing; what was put last is still there."""
    engine = WordEngine()
    cache = FlawCache(tmp_path, salt="s", max_bytes=600_000)
    for start in range(0, 20_000, 1000):
        batch = [Snippet("python", f"bad({start + number})") for number in range(1000)]
        cache.put(engine, dict(zip(batch, engine.scan(batch), strict=True)))

    assert cache.path.stat().st_size < 1_500_000
    assert len(cache.get(engine, batch[-100:])) == 100
    assert cache.get(engine, [Snippet("python", "bad(0)")]) == {}


def test_several_writers_share_one_file(tmp_path: Path) -> None:
    """Concurrent puts are all there afterwards."""
    engine = WordEngine()

    def put(start: int) -> None:
        cache = FlawCache(tmp_path, salt="s")
        for first in range(start, start + 300, 50):
            batch = SNIPPETS[first : first + 50]
            cache.put(engine, dict(zip(batch, engine.scan(batch), strict=True)))

    threads = [threading.Thread(target=put, args=(start,)) for start in (0, 300, 600, 900)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(FlawCache(tmp_path, salt="s").get(engine, SNIPPETS)) == len(SNIPPETS)
