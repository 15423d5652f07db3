-- The cubes hold as many answers as the facts, for what is known now.
with facts as (
    select count(*) as answers, coalesce(sum(case when a.score is not null then i.weight else 0 end), 0) as weight
    from fct_answer a
    join dim_item i on i.item_id = a.item_id and i.known_to = timestamp '9999-12-31' and i.is_assessable
    where a.known_to = timestamp '9999-12-31' and a.inspection_id in (select inspection_id from touched_inspection)
),
by_category as (
    select
        coalesce(sum(met + partly_met + not_met + not_applicable + not_answered), 0) as answers,
        coalesce(sum(weight_applicable), 0) as weight
    from cube_category
    where inspection_id in (select inspection_id from touched_inspection)
),
by_measure as (
    select
        coalesce(sum(met + partly_met + not_met + not_applicable + not_answered), 0) as answers,
        coalesce(sum(weight_applicable), 0) as weight
    from cube_measure
    where inspection_id in (select inspection_id from touched_inspection)
),
by_inspection as (
    select
        coalesce(sum(met + partly_met + not_met + not_applicable + not_answered), 0) as answers,
        coalesce(sum(weight_applicable), 0) as weight
    from cube_inspection
    where known_to = timestamp '9999-12-31' and inspection_id in (select inspection_id from touched_inspection)
)
select f.answers, c.answers as in_cube_category, m.answers as in_cube_measure, i.answers as in_cube_inspection
from facts f, by_category c, by_measure m, by_inspection i
where f.answers <> c.answers or f.answers <> m.answers or f.answers <> i.answers
    or greatest(abs(f.weight - c.weight), abs(f.weight - m.weight), abs(f.weight - i.weight)) > 1e-6 * (1 + f.weight)
