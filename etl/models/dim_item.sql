-- One row per item of a checklist version and known-at interval.
-- Item numbers follow the order of the master; both they and lineage are settled over the whole checklist below.
delete from dim_item
where exists (
    select 1 from touched_key k
    where k.checklist_code = dim_item.checklist_code
        and k.checklist_version = dim_item.checklist_version
        and k.item_code = dim_item.item_code
);

insert into dim_item by name
select
    id_of('item', checklist_code || chr(31) || checklist_version || chr(31) || item_code) as item_id,
    checklist_code,
    checklist_version,
    item_code,
    0 as item_no,
    '' as lineage_code,
    coalesce(text_en, text_ja, item_code) as text_en,
    coalesce(text_ja, text_en, item_code) as text_ja,
    domain,
    measure,
    category_code,
    coalesce(category_en, category_ja, category_code) as category_en,
    coalesce(category_ja, category_en, category_code) as category_ja,
    coalesce(weight, 1) as weight,
    coalesce(is_critical, false) as is_critical,
    coalesce(is_assessable, true) as is_assessable,
    regulation_ref,
    control_ref,
    known_from,
    known_to,
    load_id
from folded;
