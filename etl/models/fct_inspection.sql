-- One row per inspection and known-at interval.
delete from fct_inspection where inspection_id in (select inspection_id from touched_key);

insert into fct_inspection by name
select
    f.inspection_id,
    f.inspection_code,
    f.inspection_type,
    id_of('entity', f.entity_code) as entity_id,
    id_of('entity', f.inspecting_entity_code) as inspecting_entity_id,
    f.period as period_code,
    p.fiscal_year,
    coalesce(p.fiscal_half, m.fiscal_half) as fiscal_half,
    coalesce(p.fiscal_quarter, case when f.performed_on is not null then m.fiscal_quarter end) as fiscal_quarter,
    coalesce(p.fiscal_month, case when f.performed_on is not null then m.fiscal_month end) as fiscal_month,
    f.performed_on,
    f.submitted_on,
    f.reference_on,
    f.checklist_code,
    f.checklist_version,
    f.source_name,
    f.known_from,
    f.known_to,
    f.load_id
from folded f
join dim_period p on p.period_code = f.period
left join dim_period m on m.period_kind = 'month' and f.reference_on between m.first_on and m.last_on;
