"""The tables. A change here needs a migration in `migrations/versions`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

establishment = Table(
    "establishment",
    metadata,
    Column("code", String(3), primary_key=True),
    Column("name", Text, nullable=False),
    Column("hall", Text, nullable=False),
    Column("policy", Text, nullable=False),  # JSON
)

laptop = Table(
    "laptop",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("establishment", String(3), ForeignKey("establishment.code"), nullable=False),
    Column("seat", Integer, nullable=False),
    Column("room", Text, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
)

signing_key = Table(  # Ed25519, public; of laptops that are no more, too: their recordings stay
    "signing_key",
    metadata,
    Column("establishment", String(3), ForeignKey("establishment.code"), primary_key=True),
    Column("laptop_id", String(64), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("token_hash", String(64), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)

staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("establishment", String(3), ForeignKey("establishment.code"), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("unix_user", String(64), unique=True),
    Column("token_hash", String(64), unique=True),
)

call = Table(
    "call",
    metadata,
    Column("call_id", String(64), primary_key=True),
    Column("establishment", String(3), ForeignKey("establishment.code"), nullable=False),
    Column("laptop_id", String(64), nullable=False),
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("outcome", String(40)),
    Column("room_token_hash", String(64), nullable=False, unique=True),
    Column("family_token_hash", String(64), nullable=False, unique=True),
    Column("body", Text, nullable=False),  # the whole call as JSON: rules.call.Call
    Index("call_by_state", "establishment", "state"),
)

device = Table(  # family devices of a call besides the first
    "device",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("call_id", String(64), ForeignKey("call.call_id"), nullable=False, index=True),
    Column("establishment", String(3), ForeignKey("establishment.code"), nullable=False),
    Column("leg", String(16), nullable=False),
)

command = Table(
    "command",
    metadata,
    Column("command_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("answer", LargeBinary, nullable=False),  # schemas.console.CommandAnswer as it was sent
    Column("establishment", String(3), nullable=False, server_default=""),
)

incident = Table(
    "incident",
    metadata,
    Column("reference", String(32), primary_key=True),
    Column("establishment", String(3), ForeignKey("establishment.code"), nullable=False),
    Column("call_id", String(64), ForeignKey("call.call_id"), nullable=False),
    Column("category", String(1), nullable=False),
    Column("note", Text, nullable=False),
    Column("flagged_by", Text, nullable=False),
    Column("pressed_at_ms", BigInteger, nullable=False),
    Column("filed_at_ms", BigInteger, nullable=False),
    Column("state", String(20), nullable=False, server_default="AWAITING_REVIEW"),
    Column("body", Text, nullable=False, server_default=""),  # as JSON: rules.incident.Incident; empty: never reviewed
    Index("incident_by_state", "establishment", "state"),
)

recording = Table(  # parts that are whole here: store.recordings.IndexedPart
    "recording",
    metadata,
    Column("establishment", String(3), ForeignKey("establishment.code"), primary_key=True),
    Column("call_id", String(64), ForeignKey("call.call_id"), primary_key=True),
    Column("part", String(64), primary_key=True),
    Column("laptop_id", String(64), nullable=False),
    Column("verified_at_ms", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Column("gaps", Integer, nullable=False),
    Column("ended", String(16), nullable=False),
    Column("chain", String(64), nullable=False),
    Column("signer", String(64), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("session", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("call_id", String(64), nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("establishment", String(3), nullable=False, server_default=""),  # empty: of the server as a whole
    Index("audit_by_call", "call_id"),
)
