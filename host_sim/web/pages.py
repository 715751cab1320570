"""Which panes the page has, in the order in which people read them."""

from .panes import Page
from .views import eyes, mail, week

PAGES = (
    Page("/week", "Week", (eyes.PANE, week.PANE)),
    Page("/cloud", "Cloud", (mail.PANE,)),
)
