-- One row per pair and known-at interval, and their counts: only pairs of inspections that were touched, or whose items have
-- another lineage now.
create or replace temp table paired_anew as
select inspection_id, bool_and(is_new) as is_new
from (
    select inspection_id, is_new from touched_inspection
    union all
    select n.inspection_id, false as is_new
    from fct_inspection n
    semi join (
        select i.checklist_code, i.checklist_version
        from dim_item i
        join lineage_before b on b.item_id = i.item_id and b.lineage_code <> i.lineage_code
    ) r on r.checklist_code = n.checklist_code and r.checklist_version = n.checklist_version
)
group by inspection_id;

delete from fct_pair where inspection_id in (select inspection_id from paired_anew where not is_new);
delete from fct_pair where self_inspection_id in (select inspection_id from paired_anew where not is_new);
delete from cube_pair where inspection_id in (select inspection_id from paired_anew where not is_new);
delete from cube_pair where self_inspection_id in (select inspection_id from paired_anew where not is_new);

-- Most self-checks have no outside check beside them, so inspections meet before any answer is read.
create or replace temp table meeting as
select
    o.inspection_id,
    s.inspection_id as self_inspection_id,
    o.entity_id,
    o.fiscal_half,
    greatest(o.known_from, s.known_from) as known_from,
    least(o.known_to, s.known_to) as known_to
from fct_inspection o
join fct_inspection s
    on s.entity_id = o.entity_id and s.fiscal_half = o.fiscal_half
    and s.known_from < o.known_to and o.known_from < s.known_to
    -- Where both are of a quarter or a month, one quarter does not speak for the other.
    and (
        s.fiscal_quarter = o.fiscal_quarter
        or not (s.period_code like '%-Q_' or s.period_code like '____-__')
        or not (o.period_code like '%-Q_' or o.period_code like '____-__')
    )
where o.inspection_type in ('mutual_check', 'affiliate_check', 'privacy_audit') and s.inspection_type = 'self_check'
    and (
        o.inspection_id in (select inspection_id from paired_anew)
        or s.inspection_id in (select inspection_id from paired_anew)
    );

-- Joining and grouping by a small number is several times faster than by codes.
create or replace temp table item_line as
select
    item_id, known_from, known_to, domain, measure, category_code, weight,
    cast(dense_rank() over (order by lineage_code) as integer) as lineage_no,
    cast(dense_rank() over (order by domain, measure, category_code) as integer) as class_no
from dim_item
where is_assessable;

create or replace temp view judged as
select
    a.inspection_id,
    a.item_id,
    i.lineage_no,
    i.domain,
    a.verdict,
    a.score,
    greatest(a.known_from, i.known_from) as known_from,
    least(a.known_to, i.known_to) as known_to
from fct_answer a
join item_line i on i.item_id = a.item_id and i.known_from < a.known_to and a.known_from < i.known_to
where a.score is not null;

insert into fct_pair by name
select
    m.inspection_id,
    o.item_id,
    m.self_inspection_id,
    s.item_id as self_item_id,
    m.entity_id,
    m.fiscal_half,
    o.verdict,
    o.score,
    s.verdict as self_verdict,
    s.score as self_score,
    s.domain as self_domain,
    greatest(m.known_from, o.known_from, s.known_from) as known_from,
    least(m.known_to, o.known_to, s.known_to) as known_to
from meeting m
join judged o on o.inspection_id = m.inspection_id and o.known_from < m.known_to and m.known_from < o.known_to
join judged s
    on s.inspection_id = m.self_inspection_id and s.lineage_no = o.lineage_no
    and s.known_from < least(m.known_to, o.known_to) and greatest(m.known_from, o.known_from) < s.known_to;

-- Counts as changes by class of items first, and then as states, of classes and of whole inspections.
create or replace temp table paired_change as
select
    c.inspection_id, c.self_inspection_id, c.class_no, c.self_domain, c.event_at,
    cast(sum(case when c.verdict = 'met' and c.self_verdict = 'met' then c.direction else 0 end) as bigint)
        as met_self_met,
    cast(sum(case when c.verdict = 'met' and c.self_verdict = 'partly_met' then c.direction else 0 end) as bigint)
        as met_self_partly_met,
    cast(sum(case when c.verdict = 'met' and c.self_verdict = 'not_met' then c.direction else 0 end) as bigint)
        as met_self_not_met,
    cast(sum(case when c.verdict = 'partly_met' and c.self_verdict = 'met' then c.direction else 0 end) as bigint)
        as partly_met_self_met,
    cast(sum(case when c.verdict = 'partly_met' and c.self_verdict = 'partly_met' then c.direction else 0 end) as bigint)
        as partly_met_self_partly_met,
    cast(sum(case when c.verdict = 'partly_met' and c.self_verdict = 'not_met' then c.direction else 0 end) as bigint)
        as partly_met_self_not_met,
    cast(sum(case when c.verdict = 'not_met' and c.self_verdict = 'met' then c.direction else 0 end) as bigint)
        as not_met_self_met,
    cast(sum(case when c.verdict = 'not_met' and c.self_verdict = 'partly_met' then c.direction else 0 end) as bigint)
        as not_met_self_partly_met,
    cast(sum(case when c.verdict = 'not_met' and c.self_verdict = 'not_met' then c.direction else 0 end) as bigint)
        as not_met_self_not_met,
    cast(sum(case when c.self_score > c.score then c.direction else 0 end) as bigint) as self_higher,
    cast(sum(case when c.self_score < c.score then c.direction else 0 end) as bigint) as self_lower,
    cast(sum(case when c.self_score = c.score then c.direction else 0 end) as bigint) as equal_scores,
    cast(sum(case when c.self_score - c.score >= 1 then c.direction else 0 end) as bigint) as widest_gaps,
    sum(c.direction * c.weight) as weight_paired,
    sum(c.direction * c.weight * c.self_score) as weight_self_scored,
    sum(c.direction * c.weight * c.score) as weight_outside_scored
from (
    select
        p.*, l.class_no, l.weight, d.direction, case when d.direction = 1 then p.known_from else p.known_to end as event_at
    from fct_pair p
    semi join meeting m on m.inspection_id = p.inspection_id and m.self_inspection_id = p.self_inspection_id
    join item_line l on l.item_id = p.item_id and l.known_from <= p.known_from and l.known_to > p.known_from
    join (select 1 as direction union all select -1 as direction) d
        on d.direction = 1 or p.known_to < timestamp '9999-12-31'
) c
group by c.inspection_id, c.self_inspection_id, c.class_no, c.self_domain, c.event_at;

insert into cube_pair by name
with every as (
    select
        inspection_id, self_inspection_id, class_no, self_domain, event_at, grouping(class_no) = 1 as is_whole,
        sum(met_self_met) as met_self_met, sum(met_self_partly_met) as met_self_partly_met,
        sum(met_self_not_met) as met_self_not_met, sum(partly_met_self_met) as partly_met_self_met,
        sum(partly_met_self_partly_met) as partly_met_self_partly_met,
        sum(partly_met_self_not_met) as partly_met_self_not_met, sum(not_met_self_met) as not_met_self_met,
        sum(not_met_self_partly_met) as not_met_self_partly_met, sum(not_met_self_not_met) as not_met_self_not_met,
        sum(self_higher) as self_higher, sum(self_lower) as self_lower, sum(equal_scores) as equal_scores,
        sum(widest_gaps) as widest_gaps, sum(weight_paired) as weight_paired,
        sum(weight_self_scored) as weight_self_scored, sum(weight_outside_scored) as weight_outside_scored
    from paired_change
    group by grouping sets (
        (inspection_id, self_inspection_id, class_no, self_domain, event_at),
        (inspection_id, self_inspection_id, event_at)
    )
),
state as (
    select
        inspection_id, self_inspection_id, is_whole, class_no, self_domain, event_at as held_from,
        coalesce(
            lead(event_at) over (
                partition by inspection_id, self_inspection_id, is_whole, class_no, self_domain order by event_at
            ),
            timestamp '9999-12-31'
        ) as held_to,
        cast(sum(met_self_met) over so_far as bigint) as met_self_met,
        cast(sum(met_self_partly_met) over so_far as bigint) as met_self_partly_met,
        cast(sum(met_self_not_met) over so_far as bigint) as met_self_not_met,
        cast(sum(partly_met_self_met) over so_far as bigint) as partly_met_self_met,
        cast(sum(partly_met_self_partly_met) over so_far as bigint) as partly_met_self_partly_met,
        cast(sum(partly_met_self_not_met) over so_far as bigint) as partly_met_self_not_met,
        cast(sum(not_met_self_met) over so_far as bigint) as not_met_self_met,
        cast(sum(not_met_self_partly_met) over so_far as bigint) as not_met_self_partly_met,
        cast(sum(not_met_self_not_met) over so_far as bigint) as not_met_self_not_met,
        cast(sum(self_higher) over so_far as bigint) as self_higher,
        cast(sum(self_lower) over so_far as bigint) as self_lower,
        cast(sum(equal_scores) over so_far as bigint) as equal_scores,
        cast(sum(widest_gaps) over so_far as bigint) as widest_gaps,
        round(sum(weight_paired) over so_far, 9) as weight_paired,
        round(sum(weight_self_scored) over so_far, 9) as weight_self_scored,
        round(sum(weight_outside_scored) over so_far, 9) as weight_outside_scored
    from every
    window so_far as (
        partition by inspection_id, self_inspection_id, is_whole, class_no, self_domain order by event_at
        rows between unbounded preceding and current row
    )
)
select
    n.inspection_id, s.self_inspection_id, n.inspection_type, n.entity_id, n.inspecting_entity_id, n.fiscal_year,
    n.fiscal_half, n.fiscal_quarter, n.fiscal_month, n.reference_on, n.checklist_code, n.checklist_version, s.is_whole,
    i.domain, i.measure, i.category_code, s.self_domain,
    greatest(n.known_from, s.held_from) as known_from, least(n.known_to, s.held_to) as known_to,
    s.met_self_met, s.met_self_partly_met, s.met_self_not_met, s.partly_met_self_met, s.partly_met_self_partly_met,
    s.partly_met_self_not_met, s.not_met_self_met, s.not_met_self_partly_met, s.not_met_self_not_met, s.self_higher,
    s.self_lower, s.equal_scores, s.widest_gaps, s.weight_paired, s.weight_self_scored, s.weight_outside_scored
from state s
join fct_inspection n
    on n.inspection_id = s.inspection_id and n.known_from < s.held_to and s.held_from < n.known_to
    and s.self_higher + s.self_lower + s.equal_scores > 0
left join (select distinct class_no, domain, measure, category_code from item_line) i on i.class_no = s.class_no
-- Questions that do not tell items apart then read few row groups.
order by s.is_whole desc;

drop table paired_change;

drop table meeting;
