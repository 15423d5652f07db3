-- Every inspection is of a known entity, every finding too, and every action is of a known finding.
select 'inspection' as kind, inspection_id as id
from fct_inspection
where inspection_id in (select inspection_id from touched_inspection)
    and (entity_id not in (select entity_id from dim_entity)
        or inspecting_entity_id not in (select entity_id from dim_entity))
union all
select 'finding' as kind, finding_id as id from fct_finding where entity_id not in (select entity_id from dim_entity)
union all
select 'plan' as kind, plan_id as id from fct_plan where entity_id not in (select entity_id from dim_entity)
union all
select 'action' as kind, action_id as id from fct_action where finding_id not in (select finding_id from fct_finding)
