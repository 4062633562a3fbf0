"""Opens the database: SQLite in WAL mode, every commit on the disk before it returns, schema at its newest version."""

from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, event, text

HEAD = "0006"
"""The newest migration. Kept here so that a start with a schema that is up to date need not load Alembic (0.4 s)."""


BUSY_S = 1.0
"""How long a commit waits for another program that holds the database."""


def open_database(path: Path) -> Engine:
    """Makes or migrates the schema when needed. `sqlalchemy.exc.SQLAlchemyError` when it can't be opened."""
    engine = sqlalchemy.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    if _version(engine) != HEAD:
        _migrate(engine)
    return engine


def open_for_reading(path: Path) -> Engine:
    """For a look while a server runs; never writes, never makes a file."""
    return sqlalchemy.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")


def _version(engine: Engine) -> str:
    with engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("alembic_version"):
            return ""
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
