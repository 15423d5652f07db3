-- Answers per block of inspections and item, as one bit for each inspection: only blocks of inspections in touched_inspection.
-- A block holds inspections of one type, period and checklist version, one each of up to 63 entities. Of an entity all
-- bits are in the same place, so that marks of several blocks together still say which entities are behind them.
create or replace temp table inspection_key as
select distinct inspection_id, inspection_type, period_code, checklist_code, checklist_version, entity_id
from fct_inspection;

create or replace temp table placed_inspection as
select k.*, b.block_no, b.lane_no, b.entity_no
from inspection_key k
join brg_inspection_block b on b.inspection_id = k.inspection_id;

create or replace temp table coming_inspection as
select k.*
from inspection_key k
left join placed_inspection p on p.inspection_id = k.inspection_id
where p.inspection_id is null and k.inspection_id in (select inspection_id from touched_inspection);

-- Neighbours in region and business group stand in the same blocks, which keeps the blocks of a region few.
create or replace temp table entity_number as
select entity_id, min(entity_no) as entity_no
from placed_inspection
group by entity_id
union all
select
    c.entity_id,
    row_number() over (order by e.region_code nulls last, e.business_group_code nulls last, c.entity_id) - 1
        + (select coalesce(max(entity_no) + 1, 0) from placed_inspection) as entity_no
from (select distinct entity_id from coming_inspection) c
left join (
    select entity_id, max(region_code) as region_code, max(business_group_code) as business_group_code
    from dim_entity
    group by entity_id
) e on e.entity_id = c.entity_id
where c.entity_id not in (select entity_id from placed_inspection);

-- A second inspection of the same entity, type, period and checklist version goes to a second lane.
create or replace temp table laned_inspection as
select
    c.*, n.entity_no, n.entity_no - n.entity_no % 63 as first_entity_no,
    coalesce(p.lanes, 0) + row_number() over (
        partition by c.inspection_type, c.period_code, c.checklist_code, c.checklist_version, c.entity_id
        order by c.inspection_id
    ) as lane_no
from coming_inspection c
join entity_number n on n.entity_id = c.entity_id
left join (
    select inspection_type, period_code, checklist_code, checklist_version, entity_id, count(*) as lanes
    from placed_inspection
    group by inspection_type, period_code, checklist_code, checklist_version, entity_id
) p
    on p.inspection_type = c.inspection_type and p.period_code = c.period_code and p.checklist_code = c.checklist_code
    and p.checklist_version = c.checklist_version and p.entity_id = c.entity_id;

insert into brg_inspection_block by name
select
    l.inspection_id,
    cast(coalesce(p.block_no, dense_rank() over (
        order by l.period_code, l.inspection_type, l.checklist_code, l.checklist_version, l.lane_no, l.first_entity_no
    ) + (select coalesce(max(block_no), 0) from placed_inspection)) as integer) as block_no,
    cast(l.lane_no as integer) as lane_no,
    cast(l.entity_no as integer) as entity_no,
    cast(1 as bigint) << cast(l.entity_no % 63 as integer) as mark
from laned_inspection l
left join (
    select distinct inspection_type, period_code, checklist_code, checklist_version, lane_no,
        entity_no - entity_no % 63 as first_entity_no, block_no
    from placed_inspection
) p
    on p.inspection_type = l.inspection_type and p.period_code = l.period_code and p.checklist_code = l.checklist_code
    and p.checklist_version = l.checklist_version and p.lane_no = l.lane_no and p.first_entity_no = l.first_entity_no;

create or replace temp table touched_block as
select distinct block_no
from brg_inspection_block
where inspection_id in (select inspection_id from touched_inspection);

delete from cube_item where block_no in (select block_no from touched_block);

-- What was known of an inspection from its beginning is known whenever the inspection is, so that one row serves
-- inspections that were handed in on different days.
create or replace temp table blocked_inspection as
select b.inspection_id, b.block_no, b.mark, f.first_known_from
from brg_inspection_block b
join (select inspection_id, min(known_from) as first_known_from from fct_inspection group by inspection_id) f
    on f.inspection_id = b.inspection_id
where b.block_no in (select block_no from touched_block);

insert into cube_item by name
select
    b.block_no,
    a.item_id,
    case when a.score <> case a.verdict when 'met' then 1.0 when 'partly_met' then 0.5 else 0.0 end then a.score end
        as own_score,
    a.written_score,
    case when a.known_from > b.first_known_from then a.known_from else timestamp '0001-01-01' end as known_from,
    a.known_to,
    bit_or(case when a.verdict = 'met' then b.mark else cast(0 as bigint) end) as met_marks,
    bit_or(case when a.verdict = 'partly_met' then b.mark else cast(0 as bigint) end) as partly_met_marks,
    bit_or(case when a.verdict = 'not_met' then b.mark else cast(0 as bigint) end) as not_met_marks,
    bit_or(case when a.verdict = 'not_applicable' then b.mark else cast(0 as bigint) end) as not_applicable_marks,
    bit_or(case when a.verdict = 'not_answered' then b.mark else cast(0 as bigint) end) as not_answered_marks
from fct_answer a
join blocked_inspection b on b.inspection_id = a.inspection_id
group by 1, 2, 3, 4, 5, 6;
