"""Which panes the page has, in the order in which people read them."""

from .panes import Page
from .views import (
    audit,
    console,
    door,
    editor,
    explain,
    eyes,
    faults,
    mail,
    organisations,
    people,
    shares,
    sync,
    time,
    week,
)

# What a share service and a lock are enough for.
SERVICE = (
    Page("/why", "Why?", (explain.PANE,)),
    Page("/week", "Week", (eyes.PANE, week.PANE)),
    Page("/shares", "Shares", (eyes.PANE, shares.PANE, editor.PANE, organisations.PANE)),
    Page("/log", "Log", (eyes.PANE, audit.PANE)),
    Page("/cloud", "Cloud", (sync.PANE, mail.PANE)),
)
PAGES = (
    Page("/", "Door", (door.PANE, people.PANE, time.PANE, faults.PANE)),
    *SERVICE,
    Page("/console", "Console", (console.PANE,)),
)
