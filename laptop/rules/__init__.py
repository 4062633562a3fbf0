"""The agent's decisions. Pure: time comes in as an argument."""
