"""Properties that hold for every input; hypothesis looks for one for which they do not."""
