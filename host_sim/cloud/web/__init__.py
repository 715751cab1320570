"""The share service over HTTP: what all its APIs have in common, and the APIs as adapters."""
