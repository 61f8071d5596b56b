-- A rejected row has its file, its line and one of the reasons of the contract; each table of a file counts its rejected rows.
select file, line, reason
from quarantine
where
    line is null
    or line < 1
    or file is null
    or reason not in (
        'missing_value', 'bad_date', 'future_date', 'bad_number', 'unknown_value', 'unknown_province', 'unknown_course',
        'bad_national_id', 'spoilt_number', 'age_out_of_range', 'left_before_hired', 'decided_before_complete',
        'ends_before_starts', 'missing_status_since', 'orphan_institute', 'orphan_person', 'conflicting_key', 'ragged_row',
        'bad_encoding', 'not_yours'
    )
union all
select load_files.file, count(distinct (sheet, line)) filter (where line is not null), null
from load_files
left join quarantine using (file, source_table)
group by load_files.file, load_files.source_table, rows_quarantined
having count(distinct (sheet, line)) filter (where line is not null) <> rows_quarantined
