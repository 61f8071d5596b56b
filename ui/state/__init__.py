"""The state of a page: address, filters, periods, page parameters, the user's saved views and tokens, order of rendering."""
