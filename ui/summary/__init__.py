"""Answers in sentences: verdict, who differs, what needs action, why a number changed. Independent of Streamlit.

Pages and briefings say the same, because both take it from here.
"""
