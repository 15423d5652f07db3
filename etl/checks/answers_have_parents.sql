-- Every answer belongs to an item and to an inspection that was known by then.
select a.inspection_id, a.item_id, count(*) as answers
from fct_answer a
left join (
    select inspection_id, checklist_code, checklist_version, min(known_from) as known_from
    from fct_inspection
    group by inspection_id, checklist_code, checklist_version
) n on n.inspection_id = a.inspection_id and n.known_from <= a.known_from
left join (select distinct item_id, checklist_code, checklist_version from dim_item) i
    on i.item_id = a.item_id and i.checklist_code = n.checklist_code and i.checklist_version = n.checklist_version
where a.inspection_id in (select inspection_id from touched_inspection) and (n.inspection_id is null or i.item_id is null)
group by a.inspection_id, a.item_id
