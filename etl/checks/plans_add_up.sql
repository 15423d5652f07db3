-- Plans known now are in their cube once, with the inspections that perform them and their first hand-in.
with facts as (
    select
        p.plan_id, p.due_on, sum(case when i.known_to = timestamp '9999-12-31' then 1 else 0 end) as inspections,
        min(coalesce(i.submitted_on, i.performed_on, cast(i.known_from as date))) as handed_in_on
    from fct_plan p
    left join fct_inspection i
        on i.inspection_type = p.inspection_type and i.entity_id = p.entity_id and i.period_code = p.period_code
        and coalesce(i.inspecting_entity_id = p.inspecting_entity_id, true)
    where p.known_to = timestamp '9999-12-31' and not p.is_cancelled
    group by p.plan_id, p.due_on
),
kept as (
    select
        plan_id, min(due_on) as due_on, sum(inspections) as inspections, min(handed_in_on) as handed_in_on,
        count(*) as known_once
    from cube_plan
    where known_to = timestamp '9999-12-31'
    group by plan_id
)
select coalesce(f.plan_id, k.plan_id) as plan_id, f.inspections, k.inspections as in_cube
from facts f
full join kept k on k.plan_id = f.plan_id
where coalesce(k.known_once <> 1 or f.due_on <> k.due_on or f.inspections <> k.inspections, true)
    or case when f.inspections > 0 then f.handed_in_on end is distinct from k.handed_in_on
