-- Plans with what was handed in for them: only those that are not there and those of touched inspections.
delete from cube_plan
where plan_id in (
    select p.plan_id
    from fct_plan p
    join fct_inspection i
        on i.inspection_type = p.inspection_type and i.entity_id = p.entity_id and i.period_code = p.period_code
    where i.inspection_id in (select inspection_id from touched_inspection)
);

insert into cube_plan by name
with planned as (
    select *
    from fct_plan
    where not is_cancelled and plan_id not in (select plan_id from cube_plan)
),
performed as (
    select
        p.plan_id, p.known_from as planned_from, p.known_to as planned_to, i.known_from, i.known_to,
        coalesce(i.submitted_on, i.performed_on, cast(i.known_from as date)) as handed_in_on
    from planned p
    join fct_inspection i
        on i.inspection_type = p.inspection_type and i.entity_id = p.entity_id and i.period_code = p.period_code
        and (
            p.inspecting_entity_id is null or i.inspecting_entity_id is null
            or i.inspecting_entity_id = p.inspecting_entity_id
        )
        and i.known_from < p.known_to
),
change as (
    select
        plan_id, planned_from, event_at, sum(inspections) as inspections, min(handed_in_on) as handed_in_on
    from (
        select
            plan_id, known_from as planned_from, known_from as event_at, 0 as inspections,
            cast(null as date) as handed_in_on
        from planned
        union all
        select plan_id, planned_from, greatest(known_from, planned_from), 1, handed_in_on
        from performed
        union all
        select plan_id, planned_from, greatest(known_to, planned_from), -1, null
        from performed
        where known_to < planned_to
    ) e
    group by plan_id, planned_from, event_at
),
-- The first hand-in counts for being on time: a later correction does not make an inspection late. An inspection that was
-- withdrawn performs no plan.
state as (
    select
        plan_id, planned_from, event_at,
        lead(event_at) over (partition by plan_id, planned_from order by event_at) as next_at,
        cast(sum(inspections) over so_far as bigint) as inspections,
        min(handed_in_on) over so_far as handed_in_on
    from change
    window so_far as (
        partition by plan_id, planned_from order by event_at rows between unbounded preceding and current row
    )
)
select
    p.plan_id, p.inspection_type, p.entity_id, p.inspecting_entity_id, p.fiscal_year, p.fiscal_half, p.fiscal_quarter,
    p.fiscal_month, p.due_on, s.inspections, case when s.inspections > 0 then s.handed_in_on end as handed_in_on,
    s.event_at as known_from, coalesce(s.next_at, p.known_to) as known_to
from state s
join planned p on p.plan_id = s.plan_id and p.known_from = s.planned_from;
