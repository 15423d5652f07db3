-- The blocks of cube_item hold as many answers of each verdict as the facts, for what is known now.
with blocked as (
    select inspection_id, block_no
    from brg_inspection_block
    where block_no in (
        select block_no from brg_inspection_block where inspection_id in (select inspection_id from touched_inspection)
    )
),
facts as (
    select
        sum(case when a.verdict = 'met' then 1 else 0 end) as met,
        sum(case when a.verdict = 'partly_met' then 1 else 0 end) as partly_met,
        sum(case when a.verdict = 'not_met' then 1 else 0 end) as not_met,
        sum(case when a.verdict = 'not_applicable' then 1 else 0 end) as not_applicable,
        sum(case when a.verdict = 'not_answered' then 1 else 0 end) as not_answered
    from fct_answer a
    where a.known_to = timestamp '9999-12-31' and a.inspection_id in (select inspection_id from blocked)
),
kept as (
    select
        sum(bit_count(met_marks)) as met,
        sum(bit_count(partly_met_marks)) as partly_met,
        sum(bit_count(not_met_marks)) as not_met,
        sum(bit_count(not_applicable_marks)) as not_applicable,
        sum(bit_count(not_answered_marks)) as not_answered
    from cube_item
    where known_to = timestamp '9999-12-31' and block_no in (select block_no from blocked)
),
marked as (
    select count(*) as collisions
    from (select block_no, mark from brg_inspection_block group by block_no, mark having count(*) > 1) c
)
select f.*, k.*, m.collisions
from facts f, kept k, marked m
where m.collisions > 0
    or f.met is distinct from k.met
    or f.partly_met is distinct from k.partly_met
    or f.not_met is distinct from k.not_met
    or f.not_applicable is distinct from k.not_applicable
    or f.not_answered is distinct from k.not_answered
