with entity as (
    select
        entity_id, entity_code, region_code, country_code, business_group_code, entity_kind, privacymark_until_on,
        valid_from, valid_to,
        case when row_number() over (partition by entity_id order by valid_from) = 1 then date '0001-01-01'
            else valid_from end as held_from,
        coalesce(lead(valid_from) over (partition by entity_id order by valid_from), date '9999-12-31') as held_to
    from dim_entity
    where known_from <= $known_at and known_to > $known_at
),
cell as (
    select
        c.verdict as verdict,
        e.entity_id,
        sum(c.met) as met,
        sum(c.partly_met) as partly_met,
        sum(c.not_met) as not_met,
        sum(c.not_applicable) as not_applicable,
        sum(c.not_answered) as not_answered,
        round(sum(c.weight_applicable), 9) as weight_applicable,
        round(sum(c.weight_scored), 9) as weight_scored,
        round(sum(c.weight_met), 9) as weight_met,
        round(sum(c.written_score), 9) as written_score,
        sum(c.written_scores) as written_scores
    from (
        select
            a.inspection_id, a.verdict, a.answer, i.domain, i.measure, i.category_code, i.checklist_code,
            i.checklist_version, i.item_code, i.lineage_code,
            case when a.verdict = 'met' then 1 else 0 end as met,
            case when a.verdict = 'partly_met' then 1 else 0 end as partly_met,
            case when a.verdict = 'not_met' then 1 else 0 end as not_met,
            case when a.verdict = 'not_applicable' then 1 else 0 end as not_applicable,
            case when a.verdict = 'not_answered' then 1 else 0 end as not_answered,
            case when a.score is not null then i.weight else 0 end as weight_applicable,
            coalesce(a.score * i.weight, 0) as weight_scored,
            case when a.verdict = 'met' then i.weight else 0 end as weight_met,
            coalesce(a.written_score, 0) as written_score,
            case when a.written_score is not null then 1 else 0 end as written_scores
        from fct_answer a
        join dim_item i on i.item_id = a.item_id and i.known_from <= $known_at and i.known_to > $known_at
        where a.known_from <= $known_at and a.known_to > $known_at and i.is_assessable
    ) c
    join fct_inspection f on f.inspection_id = c.inspection_id and f.known_from <= $known_at and f.known_to > $known_at
    join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
    group by c.verdict, e.entity_id
),
figure as (
    select
        verdict,
        cast(sum((met + partly_met + not_met + not_applicable + not_answered)) as double) as answers_numerator,
        cast(null as double) as answers_denominator,
        cast(sum(case when (met + partly_met + not_met + not_applicable + not_answered) <> 0 then 1 else 0 end) as bigint) as answers_contributing
    from cell
    group by verdict
),
expected as (
    select count(*) as expected
    from (
        select e.entity_id
        from fct_plan f
        join entity e on e.entity_id = f.entity_id and e.held_from <= f.due_on and e.held_to > f.due_on
        where f.known_from <= $known_at and f.known_to > $known_at
            and not f.is_cancelled
        union
        select e.entity_id
        from fct_inspection f
        join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
        where f.known_from <= $known_at and f.known_to > $known_at
    )
)
select
    g.verdict,
    g.answers_numerator,
    g.answers_denominator,
    g.answers_contributing,
    x.expected as answers_expected
from figure g
left join expected x on true
order by g.verdict nulls last
