"""What the web side keeps of its users: sessions, personal tokens and saved views, in SQLite or a shared PostgreSQL.

Others use Sessions, Tokens and SavedViews; nothing here knows Streamlit, a page or a publication.
"""
