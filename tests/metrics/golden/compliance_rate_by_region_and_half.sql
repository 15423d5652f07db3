with entity as (
    select
        *,
        -- Before its first interval the first one holds.
        case when row_number() over (partition by entity_id order by valid_from) = 1 then date '0001-01-01'
            else valid_from end as held_from,
        coalesce(lead(valid_from) over (partition by entity_id order by valid_from), date '9999-12-31') as held_to
    from dim_entity
    where known_from <= $known_at and known_to > $known_at
),
cell as (
    select
        e.region_code as region,
        f.fiscal_half as fiscal_half,
        e.entity_id,
        sum(c.met) as met,
        sum(c.partly_met) as partly_met,
        sum(c.not_met) as not_met,
        sum(c.not_applicable) as not_applicable,
        sum(c.not_answered) as not_answered,
        round(sum(c.weight_applicable), 9) as weight_applicable,
        round(sum(c.weight_scored), 9) as weight_scored,
        round(sum(c.weight_met), 9) as weight_met,
        round(sum(c.written_score), 9) as written_score,
        sum(c.written_scores) as written_scores
    from cube_inspection c
    join fct_inspection f on f.inspection_id = c.inspection_id and f.known_from <= $known_at and f.known_to > $known_at
    join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
    where c.event_at <= $known_at
    group by e.region_code, f.fiscal_half, e.entity_id
    having sum(c.met + c.partly_met + c.not_met + c.not_applicable + c.not_answered) > 0
),
figure as (
    select
        region,
        fiscal_half,
        cast(sum(weight_scored) as double) as compliance_rate_numerator,
        cast(sum(weight_applicable) as double) as compliance_rate_denominator,
        cast(sum(case when weight_applicable <> 0 then 1 else 0 end) as bigint) as compliance_rate_contributing
    from cell
    group by region, fiscal_half
),
expected as (
    select region, fiscal_half, count(*) as expected
    from (
        select e.region_code as region, f.fiscal_half as fiscal_half, e.entity_id
        from fct_plan f
        join entity e on e.entity_id = f.entity_id and e.held_from <= f.due_on and e.held_to > f.due_on
        where f.known_from <= $known_at and f.known_to > $known_at
            and not f.is_cancelled
        union
        select e.region_code as region, f.fiscal_half as fiscal_half, e.entity_id
        from fct_inspection f
        join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
        where f.known_from <= $known_at and f.known_to > $known_at
    )
    group by region, fiscal_half
)
select
    g.region,
    g.fiscal_half,
    g.compliance_rate_numerator,
    g.compliance_rate_denominator,
    g.compliance_rate_contributing,
    x.expected as compliance_rate_expected
from figure g
left join expected x on x.region is not distinct from g.region and x.fiscal_half is not distinct from g.fiscal_half
order by g.region nulls last, g.fiscal_half nulls last
