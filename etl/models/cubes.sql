-- Counts of answers per inspection, as changes at the moments they became known. Only inspections in touched_inspection.
delete from cube_category where inspection_id in (select inspection_id from touched_inspection where not is_new);
delete from cube_measure where inspection_id in (select inspection_id from touched_inspection where not is_new);

create or replace temp table changed_category as
with version as (
    select
        a.inspection_id, i.domain, i.measure, i.category_code, a.verdict, a.score, a.written_score, i.weight,
        greatest(a.known_from, i.known_from) as held_from,
        least(a.known_to, i.known_to) as held_to
    from fct_answer a
    semi join touched_inspection t on t.inspection_id = a.inspection_id
    join dim_item i on i.item_id = a.item_id and i.known_from < a.known_to and a.known_from < i.known_to
    where i.is_assessable
),
event as (
    select inspection_id, domain, measure, category_code, verdict, score, written_score, weight, held_from as event_at, 1 as sign
    from version
    union all
    select inspection_id, domain, measure, category_code, verdict, score, written_score, weight, held_to as event_at, -1 as sign
    from version
    where held_to < timestamp '9999-12-31'
)
select
    inspection_id,
    domain,
    measure,
    category_code,
    event_at,
    sum(case when verdict = 'met' then sign else 0 end)::bigint as met,
    sum(case when verdict = 'partly_met' then sign else 0 end)::bigint as partly_met,
    sum(case when verdict = 'not_met' then sign else 0 end)::bigint as not_met,
    sum(case when verdict = 'not_applicable' then sign else 0 end)::bigint as not_applicable,
    sum(case when verdict = 'not_answered' then sign else 0 end)::bigint as not_answered,
    sum(case when score is not null then sign * weight else 0 end) as weight_applicable,
    sum(case when score is not null then sign * weight * score else 0 end) as weight_scored,
    sum(case when verdict = 'met' then sign * weight else 0 end) as weight_met,
    sum(case when written_score is not null then sign * written_score else 0 end) as written_score,
    sum(case when written_score is not null then sign else 0 end)::bigint as written_scores
from event
group by inspection_id, domain, measure, category_code, event_at;

insert into cube_category select * from changed_category;

insert into cube_measure
select
    inspection_id, domain, measure, event_at,
    sum(met)::bigint, sum(partly_met)::bigint, sum(not_met)::bigint, sum(not_applicable)::bigint, sum(not_answered)::bigint,
    sum(weight_applicable), sum(weight_scored), sum(weight_met), sum(written_score), sum(written_scores)::bigint
from changed_category
group by inspection_id, domain, measure, event_at;

drop table changed_category;
