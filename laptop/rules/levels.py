"""When a level is told: ten times a second, and at once when a sound begins (docs/decisions/0002)."""

RISE_DB = 10.0
AUDIBLE_DBFS = -45.0
BETWEEN_S = 0.03


def is_attack(newest_dbfs: float, told_dbfs: float, since_told_s: float) -> bool:
    """True when the newest 20 ms are so much louder than what was told last that it should not wait its turn."""
    return newest_dbfs >= AUDIBLE_DBFS and newest_dbfs >= told_dbfs + RISE_DB and since_told_s >= BETWEEN_S
