"""Answers in sentences: who differs, how a number changed and why. Independent of Streamlit.

Pages and briefings say the same, because both take it from here.
"""
