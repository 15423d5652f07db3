-- An answer is known to be one thing at a time.
select inspection_id, item_id, known_from
from (
    select
        a.inspection_id, a.item_id, a.known_from, a.known_to,
        lead(a.known_from) over (partition by a.inspection_id, a.item_id order by a.known_from) as next_from
    from fct_answer a
    where a.inspection_id in (select inspection_id from touched_inspection where not is_new)
)
where next_from < known_to
