"""Which panes the page has, in the order in which people read them."""

from .panes import Page
from .views import editor, eyes, mail, organisations, shares, week

PAGES = (
    Page("/week", "Week", (eyes.PANE, week.PANE)),
    Page("/shares", "Shares", (eyes.PANE, shares.PANE, editor.PANE, organisations.PANE)),
    Page("/cloud", "Cloud", (mail.PANE,)),
)
