-- Every answer belongs to an inspection and an item.
select a.inspection_id, a.item_id, count(*) as answers
from fct_answer a
left join (select distinct inspection_id, checklist_code, checklist_version from fct_inspection) n
    on n.inspection_id = a.inspection_id
left join (select distinct item_id, checklist_code, checklist_version from dim_item) i
    on i.item_id = a.item_id and i.checklist_code = n.checklist_code and i.checklist_version = n.checklist_version
where a.inspection_id in (select inspection_id from touched_inspection) and (n.inspection_id is null or i.item_id is null)
group by a.inspection_id, a.item_id
