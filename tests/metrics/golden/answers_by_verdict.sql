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
held as (
    select
        k.block_no, k.mark, k.entity_no - k.entity_no % 63 as block
    from fct_inspection f
    join brg_inspection_block k on k.inspection_id = f.inspection_id
    join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
    where f.known_from <= $known_at and f.known_to > $known_at
),
place as (
    select block, block_no, mask, dense_rank() over (order by block) as place_no
    from (select block, block_no, bit_or(mark) as mask from held group by block, block_no) h
),
part as (
    select c.item_id, c.weight, dense_rank() over (order by c.weight) as part_no
    from dim_item c
    where c.known_from <= $known_at and c.known_to > $known_at
        and c.is_assessable
),
tally as (
    select
        p.place_no, q.part_no,
        sum(bit_count(a.met_marks & p.mask)) as met_answers,
        bit_or(a.met_marks & p.mask) as met_answers_marks,
        sum(bit_count(a.partly_met_marks & p.mask)) as partly_met_answers,
        bit_or(a.partly_met_marks & p.mask) as partly_met_answers_marks,
        sum(bit_count(a.not_met_marks & p.mask)) as not_met_answers,
        bit_or(a.not_met_marks & p.mask) as not_met_answers_marks,
        sum(bit_count(a.not_applicable_marks & p.mask)) as not_applicable_answers,
        bit_or(a.not_applicable_marks & p.mask) as not_applicable_answers_marks,
        sum(bit_count(a.not_answered_marks & p.mask)) as not_answered_answers,
        bit_or(a.not_answered_marks & p.mask) as not_answered_answers_marks
    from cube_item a
    join place p on p.block_no = a.block_no
    join part q on q.item_id = a.item_id
    where a.known_from <= $known_at and a.known_to > $known_at
    group by p.place_no, q.part_no
),
told as (
    select *
    from (
        select place_no, part_no, 'met' as verdict, met_answers as answers, met_answers_marks as answers_marks
        from tally where met_answers > 0
        union all
        select place_no, part_no, 'partly_met' as verdict, partly_met_answers as answers, partly_met_answers_marks as answers_marks
        from tally where partly_met_answers > 0
        union all
        select place_no, part_no, 'not_met' as verdict, not_met_answers as answers, not_met_answers_marks as answers_marks
        from tally where not_met_answers > 0
        union all
        select place_no, part_no, 'not_applicable' as verdict, not_applicable_answers as answers, not_applicable_answers_marks as answers_marks
        from tally where not_applicable_answers > 0
        union all
        select place_no, part_no, 'not_answered' as verdict, not_answered_answers as answers, not_answered_answers_marks as answers_marks
        from tally where not_answered_answers > 0
    ) a
),
cell as (
    select
        t.verdict,
        p.block,
        sum(t.answers) as answers,
        bit_or(t.answers_marks) as answers_marks
    from told t
    join (select distinct block, place_no from place) p on p.place_no = t.place_no
    join (select distinct part_no, weight from part) q on q.part_no = t.part_no
    where t.answers > 0
    group by t.verdict, p.block
),
figure as (
    select
        verdict,
        cast(sum(answers) as double) as answers_numerator,
        cast(null as double) as answers_denominator,
        cast(sum(bit_count(answers_marks)) as bigint) as answers_contributing
    from cell
    group by verdict
),
expected as (
    select cast(coalesce(sum(bit_count(marks)), 0) as bigint) as expected
    from (
        select block, bit_or(marks) as marks
        from (
            select e.block, bit_or(e.mark) as marks
            from cube_plan f
            join entity e on e.entity_id = f.entity_id and e.held_from <= f.due_on and e.held_to > f.due_on
            where f.known_from <= $known_at and f.known_to > $known_at
            group by e.block
            union all
            select e.block, bit_or(e.mark) as marks
            from fct_inspection f
            join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.held_to > f.reference_on
            where f.known_from <= $known_at and f.known_to > $known_at
            group by e.block
        ) p
        group by block
    ) b
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
