-- One row per corrective action and known-at interval.
delete from fct_action where action_code in (select action_code from touched_key);

insert into fct_action by name
select
    id_of('action', action_code) as action_id,
    action_code,
    id_of('finding', finding_code) as finding_id,
    owner,
    description,
    due_on,
    completed_on,
    coalesce(effectiveness, 'not_checked') as effectiveness,
    effectiveness_checked_on,
    known_from,
    known_to,
    load_id
from folded;
