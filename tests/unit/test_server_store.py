"""What is kept: schema and migrations agree, the chain, group commit, bookings taken in once."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from schemas.call import CallState
from server.establishment_file import EstablishmentFile, EstablishmentFileError, check, read
from server.rules.happenings import open_room
from server.store import tables
from server.store.audit import Entry, first_broken
from server.store.database import HEAD, open_database
from server.store.rows import load, take_in
from server.store.writer import Incident, StoreError, Unit, Writer
from tests.server_rig import establishment


def content(tmp_path: Path, **changes: object) -> EstablishmentFile:
    import json

    file = tmp_path / "establishment.json"
    file.write_text(json.dumps(establishment(**changes)))
    return read(file)


def entry(n: int) -> Entry:
    return Entry(n, "R. Hughes", "officer", "s", "flag", "BWI-1", True, f"{n}")


def test_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    import server.store.database

    engine = open_database(tmp_path / "a.db")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    assert ScriptDirectory(str(Path(server.store.database.__file__).parent / "migrations")).get_heads() == [HEAD]


def test_commits_are_on_the_disk_before_they_return(tmp_path: Path) -> None:
    with open_database(tmp_path / "a.db").connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


async def test_units_that_wait_are_committed_together_and_a_bad_one_alone_fails(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    writer = Writer(engine, asyncio.get_running_loop())
    orphan = Incident("INC-1", "BWI", "no such call", "o", "", "R. Hughes", 0, 0)  # breaks a foreign key
    futures = [writer.write(Unit((entry(n),), incident=orphan if n == 50 else None)) for n in range(100)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [n for n, result in enumerate(results) if result is not None] == [50]
    assert isinstance(results[50], StoreError)
    await asyncio.to_thread(writer.close)
    with engine.connect() as connection:
        rows = connection.execute(select(tables.audit).order_by(tables.audit.c.n)).all()
    assert first_broken(rows) == (99, None)
    assert [row.detail for row in rows] == [str(n) for n in range(100) if n != 50]


@pytest.mark.parametrize("statement", [
    "DELETE FROM audit WHERE n = 5",
    "UPDATE audit SET detail = 'x' WHERE n = 5",
    "UPDATE audit SET accepted = 0 WHERE n = 5",
    "UPDATE audit SET hash = 'x' WHERE n = 5",
])  # fmt: skip
async def test_a_change_of_the_audit_shows(tmp_path: Path, statement: str) -> None:
    engine = open_database(tmp_path / "a.db")
    writer = Writer(engine, asyncio.get_running_loop())
    await asyncio.gather(*(writer.write(Unit((entry(n),))) for n in range(10)))
    await asyncio.to_thread(writer.close)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    with engine.connect() as connection:
        _, broken = first_broken(connection.execute(select(tables.audit).order_by(tables.audit.c.n)))
    assert broken in (5, 6)


def test_taking_a_file_in_twice_changes_nothing_and_a_known_call_is_left_alone(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    file = content(tmp_path)
    with engine.begin() as connection:
        assert take_in(connection, file) == 2
    with engine.begin() as connection:
        (known,) = load(connection, 0)
        from server.store.audit import Head
        from server.store.writer import write_unit

        write_unit(connection, Unit(call=open_room(known.calls["BWI-1"])), Head())
    with engine.begin() as connection:
        assert take_in(connection, file) == 0
        (known,) = load(connection, 0)
    assert known.calls["BWI-1"].state == CallState.WAITING


def test_tokens_are_not_in_the_database(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    with engine.begin() as connection:
        take_in(connection, content(tmp_path))
    engine.dispose()
    everything = b"".join(file.read_bytes() for file in tmp_path.glob("a.db*"))
    for secret in (b"officer-token", b"laptop-token", b"family-token", b"room-token"):
        assert secret not in everything


def test_a_new_booking_that_overlaps_a_known_one_is_refused(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    first = establishment()["bookings"]
    with engine.begin() as connection:
        take_in(connection, content(tmp_path, bookings=first[:1]))
    other = first[0] | {"reference": "BWI-9", "room_token": "r" * 20, "family_token": "f" * 20}
    with pytest.raises(EstablishmentFileError, match="BWI-1 and BWI-9 overlap"), engine.begin() as connection:
        take_in(connection, content(tmp_path, bookings=[other]))


def booking(**changes: object) -> dict[str, object]:
    return {"bookings": [establishment()["bookings"][0] | changes]}


PROSSER = {"number": "A1234BC", "forename": "Owen", "surname": "Prosser"}
JANE = {"name": "Jane", "relation": "mother", "age_group": "adult"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (booking(prisoner=PROSSER | {"number": "1234"}), "prisoner.number"),
        (booking(prisoner=PROSSER | {"surname": "Pro\x1b]0;x\x07sser"}), "prisoner.surname"),
        (booking(prisoner=PROSSER | {"surname": "Pro\u202esser"}), "U+202E"),
        (booking(prisoner=PROSSER | {"forename": "O" * 5000}), "5000 characters"),
        (booking(callers=[JANE] * 5), "callers"),
        (booking(callers=[]), "callers"),
        (booking(callers=[JANE | {"age_group": "child"}]), "must be an adult"),
        (booking(callers=[JANE | {"name": "\u200b\u200bJane"}]), "U+200B"),
        (booking(laptop="BWI-77"), "not among the laptops"),
        (booking(starts_at="2026-11-24T14:00:00"), "time zone"),
        (booking(starts_at="yesterday"), "starts_at"),
        (booking(minutes=0), "minutes"),
        (booking(room_token="laptop-token-123456"), "used twice"),
        (booking(reference="BWI-1\n"), "reference"),
        ({"staff": [{"name": "A", "role": "king", "token": "t" * 20}]}, "role"),
        ({"staff": [{"name": "A", "role": "officer", "unix_user": "a\x1b[2J"}]}, "U+001B"),
        ({"code": "BWI\n"}, "code"),
        ({"\x1b[2Jlaptops": []}, "unknown field"),
    ],
)
def test_bookings_that_are_wrong_are_refused_with_the_field(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(EstablishmentFileError) as refused:
        content(tmp_path, **changes)
    assert words in str(refused.value)
    assert str(refused.value).isprintable()


def test_welsh_and_other_names_are_taken(tmp_path: Path) -> None:
    names = PROSSER | {"forename": "Siân", "surname": "Ó Súilleabháin-Nwosu 王"}
    check(content(tmp_path, **booking(prisoner=names)))


def test_a_folder_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database" * 1000)
    with pytest.raises(SQLAlchemyError):
        open_database(tmp_path / "a.db")
