"""Which panes the page has, in the order in which people read them."""

from .panes import Page
from .views import audit, editor, explain, eyes, mail, organisations, shares, sync, week

PAGES = (
    Page("/", "Door", (explain.PANE,)),
    Page("/week", "Week", (eyes.PANE, week.PANE)),
    Page("/shares", "Shares", (eyes.PANE, shares.PANE, editor.PANE, organisations.PANE)),
    Page("/log", "Log", (eyes.PANE, audit.PANE)),
    Page("/cloud", "Cloud", (sync.PANE, mail.PANE)),
)
