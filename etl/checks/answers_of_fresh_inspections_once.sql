-- A new inspection has each item once, or in intervals that follow each other.
select a.inspection_id, count(*) as answers
from fct_answer a
join (select distinct item_id, item_no from dim_item) i on i.item_id = a.item_id
where a.inspection_id in (select inspection_id from touched_inspection where is_new)
    and a.known_to = timestamp '9999-12-31'
group by a.inspection_id
having count(*) > bit_count(bitstring_agg(i.item_no, 0, getvariable('max_item_no')))
