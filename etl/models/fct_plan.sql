-- One row per planned inspection and known-at interval.
create or replace temp table planned_anew as
select id_of('plan', concat_ws(chr(31), inspection_type, entity_code, coalesce(inspecting_entity_code, ''), period)) as plan_id
from touched_key;

delete from cube_plan where plan_id in (select plan_id from planned_anew);
delete from fct_plan where plan_id in (select plan_id from planned_anew);

insert into fct_plan by name
select
    id_of('plan', concat_ws(chr(31), f.inspection_type, f.entity_code, coalesce(f.inspecting_entity_code, ''), f.period)) as plan_id,
    f.inspection_type,
    id_of('entity', f.entity_code) as entity_id,
    id_of('entity', f.inspecting_entity_code) as inspecting_entity_id,
    f.period as period_code,
    p.fiscal_year,
    coalesce(p.fiscal_half, m.fiscal_half) as fiscal_half,
    coalesce(p.fiscal_quarter, m.fiscal_quarter) as fiscal_quarter,
    coalesce(p.fiscal_month, m.fiscal_month) as fiscal_month,
    f.due_on,
    coalesce(f.is_cancelled, false) as is_cancelled,
    f.known_from,
    f.known_to,
    f.load_id
from folded f
join dim_period p on p.period_code = f.period
left join dim_period m
    on m.period_kind = 'month' and least(greatest(f.due_on, p.first_on), p.last_on) between m.first_on and m.last_on;
