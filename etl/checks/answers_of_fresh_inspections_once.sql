-- A new inspection has each item once, or in intervals that follow each other.
select inspection_id, sum(answers) as answers
from (
    select a.inspection_id, count(*) as answers, bit_or(i.mark) as marks
    from fct_answer a
    join (
        select distinct item_id, item_no - item_no % 63 as block, cast(1 as bigint) << (item_no % 63) as mark
        from dim_item
    ) i on i.item_id = a.item_id
    where a.inspection_id in (select inspection_id from touched_inspection where is_new)
        and a.known_to = timestamp '9999-12-31'
    group by a.inspection_id, i.block
)
where answers > bit_count(marks)
group by inspection_id
