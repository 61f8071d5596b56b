"""The briefing on paper: `command` for the command line, `writer` for pages; Typst sets it. Independent of Streamlit."""
