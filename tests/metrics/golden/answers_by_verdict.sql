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
held as (
    select f.inspection_id, dense_rank() over (order by e.entity_id) as number
    from fct_inspection f
    join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
    where f.known_from <= $known_at and f.known_to > $known_at
),
place as (
    select
        inspection_id, number - number % 63 as block, cast(1 as bigint) << (number % 63) as mark,
        dense_rank() over (order by number - number % 63) as place_no
    from held
),
part as (
    select c.item_id, c.weight, dense_rank() over (order by c.weight) as part_no
    from dim_item c
    where c.known_from <= $known_at and c.known_to > $known_at
        and c.is_assessable
),
tally as (
    select
        p.place_no, q.part_no, a.verdict, count(*) as answers, count(a.score) as scored,
        coalesce(sum(a.score), 0) as score, coalesce(sum(a.written_score), 0) as written_score,
        count(a.written_score) as written_scores, bit_or(p.mark) as marks,
        bit_or(case when a.score is not null then p.mark end) as scored_marks,
        bit_or(case when a.written_score is not null then p.mark end) as written_marks
    from fct_answer a
    join place p on p.inspection_id = a.inspection_id
    join part q on q.item_id = a.item_id
    where a.known_from <= $known_at and a.known_to > $known_at
    group by p.place_no, q.part_no, a.verdict
),
cell as (
    select
        t.verdict, p.block,
        sum(case when t.verdict = 'met' then t.answers else 0 end) as met,
        sum(case when t.verdict = 'partly_met' then t.answers else 0 end) as partly_met,
        sum(case when t.verdict = 'not_met' then t.answers else 0 end) as not_met,
        sum(case when t.verdict = 'not_applicable' then t.answers else 0 end) as not_applicable,
        sum(case when t.verdict = 'not_answered' then t.answers else 0 end) as not_answered,
        coalesce(bit_or(case when t.verdict in ('met', 'partly_met', 'not_met', 'not_applicable', 'not_answered') then t.marks end), 0) as answers_marks
    from tally t
    join (select distinct place_no, block from place) p on p.place_no = t.place_no
    join (select distinct part_no, weight from part) q on q.part_no = t.part_no
    group by t.verdict, p.block
),
figure as (
    select
        verdict,
        cast(sum((met + partly_met + not_met + not_applicable + not_answered)) as double) as answers_numerator,
        cast(null as double) as answers_denominator,
        cast(sum(bit_count(answers_marks)) as bigint) as answers_contributing
    from cell
    group by verdict
),
expected as (
    select count(*) as expected
    from (
        select e.entity_id
        from fct_plan f
        join entity e on e.entity_id = f.entity_id and e.held_from <= f.due_on and e.held_to > f.due_on
        where f.known_from <= $known_at and f.known_to > $known_at
            and not f.is_cancelled
        union
        select e.entity_id
        from fct_inspection f
        join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
        where f.known_from <= $known_at and f.known_to > $known_at
    )
)
select
    g.verdict,
    g.answers_numerator,
    g.answers_denominator,
    g.answers_contributing,
    x.expected as answers_expected
from figure g
left join expected x on true
order by g.verdict nulls last
