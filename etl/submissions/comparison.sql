-- One row per line of the comparison of a table with the one before: what is different in which column, in how many of its
-- rows, and whether that is unusual. `more`: the rows that a value has beyond its share before.
--
-- Reads `compared` (one row per row of either side), `pairs` (one per row that both sides have), `cells` (one per row and
-- column; of one column some kinds), `columns` and `usual` (the largest shares of the files accepted last).
with sizes as (
    select
        count(*) filter (side = 'before') as before,
        count(*) filter (side = 'now') as now,
    from compared
),

counted as (
    select
        column_name,
        kind,
        value,
        count(*) filter (side = 'before') as before,
        count(*) filter (side = 'now') as now,
    from cells
    group by all
),

risen as (
    select
        counted.*,
        counted.now - counted.before * sizes.now / greatest(sizes.before, 1) as more,
        sizes.now as among,
    from counted
    cross join sizes
),

changed as (
    select
        was.column_name,
        was.kind,
        was.value as old,
        cell.value as new,
        count(*) as rows,
    from pairs
    inner join cells as was on was.side = 'before' and was.row = pairs.before_row
    inner join cells as cell
        on cell.side = 'now'
        and cell.row = pairs.now_row
        and cell.column_name = was.column_name
        and cell.kind = was.kind
    where was.kind in ('code', 'place', 'reference', 'value') and was.value is distinct from cell.value
    group by all
),

-- The newest day of a column, and whether it is before all of the 20 newest that were there.
newest as (
    select
        column_name,
        max(value) filter (side = 'before') as before,
        max(value) filter (side = 'now') as now,
        max(value, $least::bigint) filter (side = 'before')[$least] as least_before,
    from cells
    inner join columns using (column_name)
    where kind = 'value' and is_past
    group by all
),

lines as (
    select
        column_name,
        case
            when value is null then 'empty'
            when kind = 'place' and value <> $own then 'elsewhere'
            else 'code'
        end as what,
        value,
        coalesce(value, '') as known_as,
        now as rows,
        before,
        null as was,
        more,
        among,
    from risen
    where (value is null or kind in ('code', 'place', 'shape')) and now > before
    union all
    (
        select column_name, if(kind = 'band', 'code', 'commonest'), value, kind, now, before, null, more, among
        from risen
        where value is not null and kind in ('reference', 'value', 'month', 'band') and now > before
        qualify row_number() over (partition by column_name, kind order by more desc, value) = 1
    )
    union all
    select column_name, 'changed', null, '', sum(changed.rows), null, null, sum(changed.rows), any_value(kept.rows)
    from changed
    cross join (select count(*) as rows from pairs) as kept
    group by column_name
    union all
    select 'rows', 'gone', null, '', sizes.before - kept.rows, null, null, sizes.before - kept.rows, sizes.before
    from sizes
    cross join (select count(*) as rows from pairs) as kept
    union all
    select 'rows', 'new', null, '', sizes.now - kept.rows, null, null, sizes.now - kept.rows, sizes.now
    from sizes
    cross join (select count(*) as rows from pairs) as kept
    union all
    -- Most rows of an institute are in another one.
    select changed.column_name, 'elsewhere', new, 'most', changed.rows, null, old, changed.rows, risen.before
    from changed
    inner join risen
        on risen.column_name = changed.column_name
        and risen.kind = 'reference'
        and risen.value = changed.old
    where changed.kind = 'reference' and changed.new is not null and 2 * changed.rows > risen.before
    union all
    select newest.column_name, 'newest', newest.now, '', sizes.now, null, newest.before, sizes.now, sizes.now
    from newest
    cross join sizes
    where newest.now < least_before
),

judged as (
    select
        lines.*,
        more / greatest(among, 1) as part,
        case
            when what = 'newest' then true
            when part <= 2 * coalesce(usual.share, $usual) then false
            when known_as = 'formula' then more >= 1
            else more >= $least and (what = 'elsewhere' or part >= $least_share)
        end as is_unusual,
    from lines
    left join usual using (column_name, what, known_as)
    where more > 0
),

-- What says most of a column is told: where its rows count now, else a value, else how many rows differ.
told as (
    select
        *,
        is_unusual
        and if(what = 'elsewhere', 0, row_number() over (
            partition by column_name, is_unusual
            order by
                what in ('elsewhere', 'newest') desc,
                if(what = 'changed' or known_as = 'month', more / 2, more) desc,
                what,
                value
        )) <= 1 as is_told,
    from judged
)

select column_name, what, if(is_shown, value, null) as value, known_as, rows, before, was, part as share, is_told
from told
left join columns using (column_name)
where is_told or part >= $kept_share
order by rows desc, column_name, what, value
