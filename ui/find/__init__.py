"""A few words become the right page: `words` names everything there is, `reading` reads what was typed, `results` answers it."""
