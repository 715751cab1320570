"""Which panes the page has, in the order in which people read them."""

from .panes import Page
from .views import mail

PAGES = (Page("/cloud", "Cloud", (mail.PANE,)),)
