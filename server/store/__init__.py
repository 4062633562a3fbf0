"""What is kept: SQLAlchemy tables, one writer thread with group commit, the audit's hash chain, Alembic migrations."""
