"""The share service: what owners ask for, and the signed statements that come of it."""
