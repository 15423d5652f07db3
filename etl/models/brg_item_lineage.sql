-- One row per link between an item and its successor in the next checklist version, and known-at interval.
delete from brg_item_lineage
where exists (
    select 1 from touched_key k
    where k.checklist_code = brg_item_lineage.checklist_code
        and k.from_version = brg_item_lineage.from_version
        and k.to_version = brg_item_lineage.to_version
        and k.from_item_code is not distinct from coalesce(brg_item_lineage.from_item_code, '')
        and k.to_item_code is not distinct from coalesce(brg_item_lineage.to_item_code, '')
);

insert into brg_item_lineage by name
select
    checklist_code,
    from_version,
    nullif(from_item_code, '') as from_item_code,
    case when from_item_code <> '' then id_of('item', checklist_code || chr(31) || from_version || chr(31) || from_item_code) end
        as from_item_id,
    to_version,
    nullif(to_item_code, '') as to_item_code,
    case when to_item_code <> '' then id_of('item', checklist_code || chr(31) || to_version || chr(31) || to_item_code) end
        as to_item_id,
    change,
    known_from,
    known_to,
    load_id
from folded;
