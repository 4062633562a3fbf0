"""`make wire`: writes what follows from the messages. Look at what changed before it is committed."""

from schemas.document import printed
from schemas.wire import PROTOCOL_VERSION
from tests.golden import SCHEMA, write

write(PROTOCOL_VERSION)
SCHEMA.write_text(printed())
