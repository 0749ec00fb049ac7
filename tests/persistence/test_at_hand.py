"""What the flusher gets of a journal: from memory what was just written, from the disk what was not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.core.model import Entry
from bridge.errors import JournalFailed
from persistence import journal_file
from persistence.at_hand import MOST, AtHand, Numbered
from persistence.journal import Journal
from persistence.journal_file import CHUNK_BYTES, Pending
from tests.persistence.build import claimed, entry


def _lines(*numbers: int) -> list[Numbered]:
    return [Numbered(seq, entry(claimed(), seq, "x")) for seq in numbers]


async def _waiting(journal: Journal, limit: int = 10_000) -> tuple[list[int], int, bool]:
    rows, up_to, all_of_them = await journal.waiting(limit)
    return [row.seq for row in rows], up_to, all_of_them


def test_lines_are_given_in_order_until_they_are_stored() -> None:
    at_hand = AtHand()
    lines = _lines(1, 2, 4)
    for line in lines:
        at_hand.add(line)
    assert at_hand.after(0, 2) == lines[:2]
    assert at_hand.after(0, 9) == lines
    assert at_hand.after(2, 9) == lines[2:]
    assert at_hand.after(4, 9) == []


def test_what_it_does_not_have_it_does_not_pass_over() -> None:
    at_hand = AtHand()
    at_hand.add(_lines(1)[0])
    at_hand.forget(3)
    (later,) = _lines(4)
    at_hand.add(later)
    assert at_hand.after(0, 9) is None
    assert at_hand.after(2, 9) is None
    assert at_hand.after(3, 9) == [later]


def test_it_keeps_only_so_many() -> None:
    at_hand = AtHand()
    for line in _lines(*range(1, MOST + 3)):
        at_hand.add(line)
    assert at_hand.after(MOST, 9) is None
    assert at_hand.after(MOST + 1, 9) == _lines(MOST + 2)


async def test_the_entries_come_as_they_were_given(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        given: list[Entry] = [entry(claimed(), idx, "x") for idx in range(3)]
        for item in given:
            journal.append(item)  # on its way to the disk, or there: it is waited for
        rows, up_to, all_of_them = await journal.waiting(10)
        assert [row.content for row in rows if isinstance(row, Numbered)] == given
        assert (up_to, all_of_them) == (3, True)
        assert await _waiting(journal, 2) == ([1, 2], 2, False)
        await journal.mark(2, set())
        assert await _waiting(journal) == ([3], 3, True)
        await journal.mark(3, set())
        assert await _waiting(journal) == ([], 3, True)


async def test_what_cannot_be_stored_comes_as_it_will_be(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        await journal.append(entry(claimed(), 0, "a\0b\ud800"))
        (row,), *_ = await journal.waiting(10)
        assert isinstance(row, Numbered)
        assert row.content == entry(claimed(), 0, "a\ufffdb\ufffd")


async def test_more_than_is_kept_comes_from_the_disk_all_of_it(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        for idx in range(MOST + 10):
            journal.append(entry(claimed(), idx, "x"))
        found: list[int] = []
        while len(found) < MOST + 10:
            numbers, up_to, _ = await _waiting(journal, 500)
            found += numbers
            await journal.mark(up_to, set())
        assert found == list(range(1, MOST + 11))
        await journal.append(entry(claimed(), MOST + 10, "x"))
        (row,), *_ = await journal.waiting(10)
        assert isinstance(row, Numbered)


async def test_what_is_long_does_not_pile_up_in_memory(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        line = "x" * 60_000
        many = 3 * CHUNK_BYTES // len(line)
        for idx in range(many):
            journal.append(entry(claimed(), idx, line))
        found: list[int] = []
        while len(found) < many:
            rows, up_to, _ = await journal.waiting(many)
            assert len(rows) <= CHUNK_BYTES // len(line) + 1
            found += [row.seq for row in rows]
            await journal.mark(up_to, set())
        assert found == list(range(1, many + 1))
        huge = "x" * CHUNK_BYTES
        for idx in range(2):
            journal.append(entry(claimed(), many + idx, huge))
        for idx in range(2):
            (row,), up_to, _ = await journal.waiting(1)
            await journal.mark(up_to, set())
            assert row.seq == many + idx + 1


async def test_what_is_adopted_comes_from_the_disk_in_its_place(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        async with Journal(tmp_path) as dead:
            await dead.append(entry(claimed("d"), 0, "x"))
        await journal.append(entry(claimed(), 0, "x"))
        await journal.adopt()
        await journal.append(entry(claimed(), 1, "x"))
        rows, up_to, _ = await journal.waiting(10)
        assert [row.conversation_id for row in rows] == ["c", "d", "c"]
        assert all(isinstance(row, Pending) for row in rows)
        await journal.mark(up_to, set())
        await journal.append(entry(claimed(), 2, "x"))
        assert await _waiting(journal) == ([4], 4, True)


async def test_what_could_not_be_written_is_not_flushed(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        (path,) = journal_file.journals(tmp_path)
        with closing(sqlite3.connect(path)) as vandal:
            vandal.execute("ALTER TABLE entries RENAME TO elsewhere")
            with pytest.raises(JournalFailed):
                await journal.append(entry(claimed(), 0, "x"))
            vandal.execute("ALTER TABLE elsewhere RENAME TO entries")
        await journal.append(entry(claimed(), 1, "x"))
        assert await _waiting(journal) == ([2], 2, True)
