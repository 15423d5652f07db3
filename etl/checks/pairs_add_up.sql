-- Pairs are as many as there are answers beside each other that are known now, with the same scores.
with meeting as (
    select o.inspection_id, s.inspection_id as self_inspection_id
    from fct_inspection o
    join fct_inspection s on s.entity_id = o.entity_id and s.fiscal_half = o.fiscal_half
        and coalesce(
            left(right(s.period_code, 3), 1) = '-' and left(right(s.period_code, 2), 1) <> 'H'
            and left(right(o.period_code, 3), 1) = '-' and left(right(o.period_code, 2), 1) <> 'H'
            and s.fiscal_quarter <> o.fiscal_quarter, false
        ) = false
    where o.inspection_type <> 'self_check' and o.known_to = timestamp '9999-12-31'
        and s.inspection_type = 'self_check' and s.known_to = timestamp '9999-12-31'
        and (
            o.inspection_id in (select inspection_id from touched_inspection)
            or s.inspection_id in (select inspection_id from touched_inspection)
        )
),
item_line as (
    select item_id, dense_rank() over (order by lineage_code) as lineage_no
    from dim_item
    where known_to = timestamp '9999-12-31' and is_assessable
),
judged as (
    select a.inspection_id, a.score, i.lineage_no
    from fct_answer a
    join item_line i on i.item_id = a.item_id
    where a.known_to = timestamp '9999-12-31' and a.score is not null
        and a.inspection_id in (select inspection_id from meeting union select self_inspection_id from meeting)
),
facts as (
    select count(*) as pairs, coalesce(sum(o.score), 0) as score, coalesce(sum(s.score), 0) as self_score
    from meeting m
    join judged o on o.inspection_id = m.inspection_id
    join judged s on s.inspection_id = m.self_inspection_id and s.lineage_no = o.lineage_no
),
kept as (
    select count(*) as pairs, coalesce(sum(score), 0) as score, coalesce(sum(self_score), 0) as self_score
    from fct_pair
    where known_to = timestamp '9999-12-31'
        and (
            inspection_id in (select inspection_id from touched_inspection)
            or self_inspection_id in (select inspection_id from touched_inspection)
        )
)
select f.pairs, k.pairs as in_fct_pair, f.score, k.score as score_in_fct_pair, f.self_score, k.self_score as self_score_in_fct_pair
from facts f, kept k
where f.pairs <> k.pairs
    or abs(f.score - k.score) > 1e-6 * (1 + f.score) or abs(f.self_score - k.self_score) > 1e-6 * (1 + f.self_score)
