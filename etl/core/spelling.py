"""Names that are spelt nearly like a word: a letter wrong, missing, doubled, or changed with its neighbour."""

from collections.abc import Iterable

import duckdb

_LEAST_LETTERS, _LETTERS_FOR_TWO = 4, 8
_connection = duckdb.connect()


def nearly(word: str, names: Iterable[str], most: int) -> list[str]:
    """At most `most` names within one letter of `word` from four letters on, within two from eight on; the nearest first.

    >>> nearly("اصفهن", ["اصفهان", "فارس"], 3)
    ['اصفهان']
    """
    if len(word) < _LEAST_LETTERS or any(letter.isdecimal() for letter in word):
        return []
    apart = 1 if len(word) < _LETTERS_FOR_TWO else 2
    alike = [name for name in names if abs(len(name) - len(word)) <= apart and len(name) >= _LEAST_LETTERS]
    sql = """
        select name from (select name, damerau_levenshtein(name, $word) as apart from (select unnest($names) as name))
        where apart <= $apart
        order by apart, name
        limit $most
    """
    with _connection.cursor() as con:
        given = {"word": word, "names": alike, "apart": apart, "most": most}
        return [name for (name,) in con.execute(sql, given).fetchall()] if alike else []
