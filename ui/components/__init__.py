"""What a user meets on several pages: cards, figures, tables, filters, footers, downloads.

A component shows an Answer that it is given or asks for through `ui.data.warehouse`; it does not know its page.
"""
