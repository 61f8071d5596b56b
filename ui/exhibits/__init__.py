"""Exhibits: what a reader sees as one thing, made by a function of a Scope and an Ask. Independent of Streamlit.

Screen, table, file and paper take the same value: none of them asks, titles or rounds by itself.
"""
