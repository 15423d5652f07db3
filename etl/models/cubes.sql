-- Counts of answers per inspection, as changes at the moments they became known. Only inspections in touched_inspection.
delete from cube_category where inspection_id in (select inspection_id from touched_inspection where not is_new);
delete from cube_measure where inspection_id in (select inspection_id from touched_inspection where not is_new);
delete from cube_inspection where inspection_id in (select inspection_id from touched_inspection where not is_new);

-- Grouping by a small number for domain, measure and category is several times faster than by their names.
create or replace temp table item_class as
select
    item_id, known_from, known_to, weight, domain, measure, category_code,
    cast(dense_rank() over (order by domain, measure, category_code) as integer) as class_no
from dim_item
where is_assessable;

create or replace temp view held as
select
    a.inspection_id,
    i.class_no,
    greatest(a.known_from, i.known_from) as held_from,
    least(a.known_to, i.known_to) as held_to,
    case a.verdict when 'met' then 1 when 'partly_met' then 2 when 'not_met' then 3 when 'not_applicable' then 4 else 5 end
        as verdict_no,
    i.weight,
    i.weight * a.score as weight_scored,
    a.written_score
from fct_answer a
semi join touched_inspection t on t.inspection_id = a.inspection_id
join item_class i on i.item_id = a.item_id and i.known_from < a.known_to and a.known_from < i.known_to;

create or replace temp table changed_class as
with came as (
    select
        inspection_id,
        class_no,
        held_from as event_at,
        count(*) filter (where verdict_no = 1) as met,
        count(*) filter (where verdict_no = 2) as partly_met,
        count(*) filter (where verdict_no = 3) as not_met,
        count(*) filter (where verdict_no = 4) as not_applicable,
        count(*) filter (where verdict_no = 5) as not_answered,
        coalesce(sum(weight) filter (where verdict_no <= 3), 0) as weight_applicable,
        coalesce(sum(weight_scored), 0) as weight_scored,
        coalesce(sum(weight) filter (where verdict_no = 1), 0) as weight_met,
        coalesce(sum(written_score), 0) as written_score,
        count(written_score) as written_scores
    from held
    group by inspection_id, class_no, held_from
),
went as (
    select
        inspection_id,
        class_no,
        held_to as event_at,
        -count(*) filter (where verdict_no = 1) as met,
        -count(*) filter (where verdict_no = 2) as partly_met,
        -count(*) filter (where verdict_no = 3) as not_met,
        -count(*) filter (where verdict_no = 4) as not_applicable,
        -count(*) filter (where verdict_no = 5) as not_answered,
        -coalesce(sum(weight) filter (where verdict_no <= 3), 0) as weight_applicable,
        -coalesce(sum(weight_scored), 0) as weight_scored,
        -coalesce(sum(weight) filter (where verdict_no = 1), 0) as weight_met,
        -coalesce(sum(written_score), 0) as written_score,
        -count(written_score) as written_scores
    from held
    where held_to < timestamp '9999-12-31'
    group by inspection_id, class_no, held_to
)
select * from came
union all
select * from went;

insert into cube_category by name
select
    c.inspection_id, i.domain, i.measure, i.category_code, c.event_at, c.met, c.partly_met, c.not_met, c.not_applicable,
    c.not_answered, c.weight_applicable, c.weight_scored, c.weight_met, c.written_score, c.written_scores
from changed_class c
join (select distinct class_no, domain, measure, category_code from item_class) i using (class_no);

insert into cube_measure
select
    c.inspection_id, i.domain, i.measure, c.event_at,
    cast(sum(met) as bigint), cast(sum(partly_met) as bigint), cast(sum(not_met) as bigint), cast(sum(not_applicable) as bigint), cast(sum(not_answered) as bigint),
    sum(weight_applicable), sum(weight_scored), sum(weight_met), sum(written_score), cast(sum(written_scores) as bigint)
from changed_class c
join (select distinct class_no, domain, measure from item_class) i using (class_no)
group by c.inspection_id, i.domain, i.measure, c.event_at;

insert into cube_inspection by name
with change as (
    select
        inspection_id, event_at, sum(met) as met, sum(partly_met) as partly_met, sum(not_met) as not_met,
        sum(not_applicable) as not_applicable, sum(not_answered) as not_answered,
        sum(weight_applicable) as weight_applicable, sum(weight_scored) as weight_scored,
        sum(weight_met) as weight_met, sum(written_score) as written_score, sum(written_scores) as written_scores
    from changed_class
    group by inspection_id, event_at
),
state as (
    select
        inspection_id, event_at as held_from,
        coalesce(lead(event_at) over (partition by inspection_id order by event_at), timestamp '9999-12-31') as held_to,
        cast(sum(met) over so_far as bigint) as met,
        cast(sum(partly_met) over so_far as bigint) as partly_met,
        cast(sum(not_met) over so_far as bigint) as not_met,
        cast(sum(not_applicable) over so_far as bigint) as not_applicable,
        cast(sum(not_answered) over so_far as bigint) as not_answered,
        round(sum(weight_applicable) over so_far, 9) as weight_applicable,
        round(sum(weight_scored) over so_far, 9) as weight_scored,
        round(sum(weight_met) over so_far, 9) as weight_met,
        round(sum(written_score) over so_far, 9) as written_score,
        cast(sum(written_scores) over so_far as bigint) as written_scores
    from change
    window so_far as (partition by inspection_id order by event_at rows between unbounded preceding and current row)
)
select
    n.inspection_id, n.inspection_type, n.entity_id, n.inspecting_entity_id, n.fiscal_year, n.fiscal_half,
    n.fiscal_quarter, n.fiscal_month, n.reference_on, n.checklist_code, n.checklist_version,
    greatest(n.known_from, s.held_from) as known_from, least(n.known_to, s.held_to) as known_to,
    s.met, s.partly_met, s.not_met, s.not_applicable, s.not_answered, s.weight_applicable, s.weight_scored,
    s.weight_met, s.written_score, s.written_scores
from fct_inspection n
join state s
    on s.inspection_id = n.inspection_id and s.held_from < n.known_to and n.known_from < s.held_to
    and s.met + s.partly_met + s.not_met + s.not_applicable + s.not_answered > 0;

drop table changed_class;
