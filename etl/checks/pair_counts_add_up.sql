-- The cube of pairs holds as many pairs as the facts, and the same weights and scores, for what is known now: twice.
with facts as (
    select
        count(*) as pairs,
        coalesce(sum(case when p.self_score > p.score then 1 else 0 end), 0) as self_higher,
        coalesce(sum(case when p.self_score < p.score then 1 else 0 end), 0) as self_lower,
        coalesce(sum(case when p.verdict = p.self_verdict then 1 else 0 end), 0) as equal_verdicts,
        coalesce(sum(case when p.self_score - p.score >= 1 then 1 else 0 end), 0) as widest_gaps,
        coalesce(sum(i.weight), 0) as weight,
        coalesce(sum(i.weight * p.self_score), 0) as self_scored,
        coalesce(sum(i.weight * p.score), 0) as outside_scored
    from fct_pair p
    join dim_item i on i.item_id = p.item_id and i.known_to = timestamp '9999-12-31'
    where p.known_to = timestamp '9999-12-31'
        and (
            p.inspection_id in (select inspection_id from touched_inspection)
            or p.self_inspection_id in (select inspection_id from touched_inspection)
        )
),
kept as (
    select
        w.is_whole,
        coalesce(sum(self_higher + self_lower + equal_scores), 0) as pairs,
        coalesce(sum(
            met_self_met + met_self_partly_met + met_self_not_met + partly_met_self_met + partly_met_self_partly_met
            + partly_met_self_not_met + not_met_self_met + not_met_self_partly_met + not_met_self_not_met
        ), 0) as pairs_by_verdict,
        coalesce(sum(self_higher), 0) as self_higher,
        coalesce(sum(self_lower), 0) as self_lower,
        coalesce(sum(met_self_met + partly_met_self_partly_met + not_met_self_not_met), 0) as equal_verdicts,
        coalesce(sum(widest_gaps), 0) as widest_gaps,
        coalesce(sum(weight_paired), 0) as weight,
        coalesce(sum(weight_self_scored), 0) as self_scored,
        coalesce(sum(weight_outside_scored), 0) as outside_scored
    from (select true as is_whole union all select false as is_whole) w
    left join (
        select *
        from cube_pair
        where known_to = timestamp '9999-12-31'
            and (
                inspection_id in (select inspection_id from touched_inspection)
                or self_inspection_id in (select inspection_id from touched_inspection)
            )
    ) c on c.is_whole = w.is_whole
    group by w.is_whole
)
select f.*, k.*
from facts f, kept k
where f.pairs <> k.pairs or f.pairs <> k.pairs_by_verdict or f.self_higher <> k.self_higher
    or f.self_lower <> k.self_lower or f.equal_verdicts <> k.equal_verdicts or f.widest_gaps <> k.widest_gaps
    or abs(f.weight - k.weight) > 1e-6 * (1 + f.weight)
    or abs(f.self_scored - k.self_scored) > 1e-6 * (1 + f.self_scored)
    or abs(f.outside_scored - k.outside_scored) > 1e-6 * (1 + f.outside_scored)
