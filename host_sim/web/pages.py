"""Which panes the page has, in the order in which people read them."""

from .panes import Page
from .views import console, door, faults, mail, people, time

PAGES = (
    Page("/", "Door", (door.PANE, people.PANE, time.PANE, faults.PANE)),
    Page("/console", "Console", (console.PANE,)),
    Page("/cloud", "Cloud", (mail.PANE,)),
)
