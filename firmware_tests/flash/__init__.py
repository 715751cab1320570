"""Boards at a serial port: flashed, provisioned and asked with the real mpremote."""
