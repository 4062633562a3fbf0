"""The wire: every message between Sightline's programs, and nothing else. Imports msgspec only."""
