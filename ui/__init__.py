"""What pages are made of. A later package imports earlier ones: i18n, summary, access, data, state, charts, exports, briefing,
components, sections, shell. No SQL of the warehouse, and a number only from an Answer.
"""
