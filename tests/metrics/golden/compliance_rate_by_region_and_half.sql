with entity as (
    select *, entity_no - entity_no % 63 as block, cast(pow(2, entity_no % 63) as bigint) as mark
    from (
        select
            *,
            -- Before its first interval the first one holds.
            case when row_number() over (partition by entity_id order by valid_from) = 1 then date '0001-01-01'
                else valid_from end as held_from,
            coalesce(lead(valid_from) over (partition by entity_id order by valid_from), date '9999-12-31') as held_to,
            dense_rank() over (order by entity_id) - 1 as entity_no
        from dim_entity
        where known_from <= $known_at and known_to > $known_at
    ) d
),
cell as (
    select
        e.region_code as region,
        f.fiscal_half as fiscal_half,
        e.block,
        sum(f.weight_applicable) as weight_applicable,
        sum(f.weight_scored) as weight_scored,
        bit_or(case when f.weight_applicable <> 0 then e.mark else cast(0 as bigint) end) as compliance_rate_marks
    from cube_inspection f
    join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
    where f.known_from <= $known_at and f.known_to > $known_at
    group by e.region_code, f.fiscal_half, e.block
),
figure as (
    select
        region,
        fiscal_half,
        cast(sum(weight_scored) as double) as compliance_rate_numerator,
        cast(sum(weight_applicable) as double) as compliance_rate_denominator,
        cast(sum(bit_count(compliance_rate_marks)) as bigint) as compliance_rate_contributing
    from cell
    group by region, fiscal_half
),
expected as (
    select region, fiscal_half, cast(coalesce(sum(bit_count(marks)), 0) as bigint) as expected
    from (
        select region, fiscal_half, block, bit_or(marks) as marks
        from (
            select e.region_code as region, f.fiscal_half as fiscal_half, e.block, bit_or(e.mark) as marks
            from cube_plan f
            join entity e on e.entity_id = f.entity_id and e.held_from <= f.due_on and e.held_to > f.due_on
            where f.known_from <= $known_at and f.known_to > $known_at
            group by e.region_code, f.fiscal_half, e.block
            union all
            select e.region_code as region, f.fiscal_half as fiscal_half, e.block, bit_or(e.mark) as marks
            from fct_inspection f
            join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
            where f.known_from <= $known_at and f.known_to > $known_at
            group by e.region_code, f.fiscal_half, e.block
        ) p
        group by region, fiscal_half, block
    ) b
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
