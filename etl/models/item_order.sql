-- Positions and lineage of every item: positions by the order of the masters, lineage through carried-over and reworded items.
create or replace temp table item_position as
select
    checklist_code,
    checklist_version,
    item_code,
    row_number() over (partition by checklist_code, checklist_version order by min(row_no), item_code) - 1 as item_no
from stm_item
group by checklist_code, checklist_version, item_code;

create or replace temp table item_origin as
with recursive link as (
    select distinct
        checklist_code, from_version, from_item_code, to_version, to_item_code
    from brg_item_lineage
    where change in ('carried_over', 'reworded') and known_to = timestamp '9999-12-31'
),
walk as (
    select checklist_code, checklist_version, item_code, checklist_version as root_version, item_code as root_item_code, 0 as depth
    from item_position
    union all
    select w.checklist_code, w.checklist_version, w.item_code, l.from_version, l.from_item_code, w.depth + 1
    from walk w
    join link l
        on l.checklist_code = w.checklist_code and l.to_version = w.root_version and l.to_item_code = w.root_item_code
    where w.depth < 100
)
select
    checklist_code, checklist_version, item_code,
    checklist_code || '|' || root_version || '|' || root_item_code as lineage_code
from walk
qualify row_number() over (
    partition by checklist_code, checklist_version, item_code order by depth desc, root_version, root_item_code
) = 1;

update dim_item
set item_no = p.item_no, lineage_code = o.lineage_code
from item_position p
join item_origin o using (checklist_code, checklist_version, item_code)
where dim_item.checklist_code = p.checklist_code
    and dim_item.checklist_version = p.checklist_version
    and dim_item.item_code = p.item_code
    and (dim_item.item_no <> p.item_no or dim_item.lineage_code <> o.lineage_code);
