"""Figures as plain dictionaries in Plotly's names: a Chart is a function of an Answer and a ChartContext.

Nothing here asks a question or imports Streamlit; titles are part of a chart.
"""
