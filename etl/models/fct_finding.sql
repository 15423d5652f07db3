-- One row per finding and known-at interval.
delete from fct_finding where finding_code in (select finding_code from touched_key);

insert into fct_finding by name
select
    id_of('finding', f.finding_code) as finding_id,
    f.finding_code,
    id_of('entity', f.entity_code) as entity_id,
    f.inspection_type,
    f.period as period_code,
    p.fiscal_year,
    coalesce(p.fiscal_half, m.fiscal_half) as fiscal_half,
    coalesce(p.fiscal_quarter, m.fiscal_quarter) as fiscal_quarter,
    coalesce(p.fiscal_month, m.fiscal_month) as fiscal_month,
    f.checklist_code,
    f.checklist_version,
    case when f.item_code is not null
        then id_of('item', f.checklist_code || chr(31) || f.checklist_version || chr(31) || f.item_code) end as item_id,
    f.severity,
    f.description,
    f.raised_on,
    f.closed_on,
    f.status,
    coalesce(f.reopened_count, 0)::integer as reopened_count,
    f.known_from,
    f.known_to,
    f.load_id
from folded f
join dim_period p on p.period_code = f.period
left join dim_period m
    on m.period_kind = 'month' and least(greatest(f.raised_on, p.first_on), p.last_on) between m.first_on and m.last_on;
