-- An id stands for one natural key.
select 'entity' as kind, entity_id as id from dim_entity group by entity_id having count(distinct entity_code) > 1
union all
select 'item' as kind, item_id as id
from dim_item
group by item_id
having count(distinct checklist_code || chr(31) || checklist_version || chr(31) || item_code) > 1
union all
select 'inspection' as kind, inspection_id as id
from stm_inspection
where inspection_id in (select inspection_id from touched_inspection)
group by inspection_id
having count(distinct concat_ws(
    chr(31), inspection_type, entity_code, coalesce(inspecting_entity_code, ''), period, coalesce(inspection_code, ''),
    checklist_code, checklist_version)) > 1
