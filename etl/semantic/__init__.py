"""The semantic layer: metrics/*.toml and `answers.ask`, which turns a question into an Answer under an AccessScope.

Disclosure and ranking of answers stand here. It reads publications and creates no table in them.
"""
