"""Words of pages/text.toml and the writing of numbers, days and names in both languages: `text`. It knows no data."""
