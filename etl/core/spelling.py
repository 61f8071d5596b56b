"""Names that are spelt nearly like a word: a letter wrong, missing, doubled, or changed with its neighbour."""

from collections.abc import Iterable

import duckdb

_LEAST_LETTERS, _MOST_APART = 4, 2
# The letters that are right, of the longer one: «تهرن» is like «تهران» (4 of 5), «نقشه» is not like «نقده» (3 of 4).
_LEAST_ALIKE = 0.8
_connection = duckdb.connect()


def nearly(word: str, names: Iterable[str], most: int) -> list[str]:
    """At most `most` names that differ from `word` in two letters at most, and in one of five; the nearest first.

    >>> nearly("اصفهن", ["اصفهان", "فارس"], 3)
    ['اصفهان']
    >>> nearly("نقشه", ["نقده"], 3)
    []
    """
    if len(word) < _LEAST_LETTERS or any(letter.isdecimal() for letter in word):
        return []
    alike = [name for name in names if abs(len(name) - len(word)) <= _MOST_APART and len(name) >= _LEAST_LETTERS]
    sql = """
        select name from (select name, damerau_levenshtein(name, $word) as apart from (select unnest($names) as name))
        where apart <= $apart and 1 - apart / greatest(length(name), length($word)) >= $alike
        order by apart, name
        limit $most
    """
    with _connection.cursor() as con:
        given = {"word": word, "names": alike, "apart": _MOST_APART, "alike": _LEAST_ALIKE, "most": most}
        return [name for (name,) in con.execute(sql, given).fetchall()] if alike else []
