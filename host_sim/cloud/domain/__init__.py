"""What the share service knows and decides, over a database session; nothing here knows HTTP."""
