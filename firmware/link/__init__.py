"""How the lock talks to others; today only a console on a desk."""
