"""The server of an establishment: holds the truth about every call, decides, keeps the audit, tells consoles."""
