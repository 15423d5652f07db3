-- An inspection, plan, finding or action is known to be one thing at a time, between two moments in their order.
with version as (
    select 'inspection' as kind, inspection_id as id, known_from, known_to from fct_inspection
    where inspection_id in (select inspection_id from touched_inspection)
    union all
    select 'plan' as kind, plan_id as id, known_from, known_to from fct_plan
    union all
    select 'finding' as kind, finding_id as id, known_from, known_to from fct_finding
    union all
    select 'action' as kind, action_id as id, known_from, known_to from fct_action
)
select kind, id, known_from
from (select *, lead(known_from) over (partition by kind, id order by known_from) as next_from from version)
where next_from < known_to or known_to <= known_from
