-- A score lies between 0 and 1, and only what was judged has one.
select inspection_id, item_id, verdict, score
from fct_answer
where inspection_id in (select inspection_id from touched_inspection)
    and (
        verdict not in ('met', 'partly_met', 'not_met', 'not_applicable', 'not_answered')
        or (score is null) <> (verdict in ('not_applicable', 'not_answered'))
        or score < 0 or score > 1
    )
