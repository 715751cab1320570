"""The house that `make sim` leaves running."""
