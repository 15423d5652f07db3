-- Pairs, derived from the answers: what an outside check found beside what the self-check had said.

create table fct_pair (
  inspection_id bigint not null,
  item_id bigint not null,
  self_inspection_id bigint not null,
  self_item_id bigint not null,
  entity_id bigint not null,
  fiscal_half varchar not null,
  verdict varchar not null,
  score double not null,
  self_verdict varchar not null,
  self_score double not null,
  self_domain varchar,
  known_from timestamp not null,
  known_to timestamp not null
);
comment on table fct_pair is 'One row per answer of an outside check, answer of a self-check of the same entity, item lineage and fiscal half (and quarter, where both periods are no longer than one), both with a score, and known-at interval: while both answers, both inspections and both items are known to be so.';
comment on column fct_pair.inspection_id is 'Outside check: mutual_check, affiliate_check or privacy_audit.';
comment on column fct_pair.item_id is 'Item that the outside check asked.';
comment on column fct_pair.self_inspection_id is 'Self-check.';
comment on column fct_pair.self_item_id is 'Item that the self-check asked; another one of the same lineage where the checklist versions differ.';
comment on column fct_pair.entity_id is 'Entity that both inspected.';
comment on column fct_pair.fiscal_half is 'Fiscal half of both.';
comment on column fct_pair.verdict is 'Verdict of the outside check: met, partly_met or not_met.';
comment on column fct_pair.score is 'Degree of fulfilment 0..1 that the outside check found.';
comment on column fct_pair.self_verdict is 'Verdict of the self-check: met, partly_met or not_met.';
comment on column fct_pair.self_score is 'Degree of fulfilment 0..1 by the self-check.';
comment on column fct_pair.self_domain is 'Domain of the item that the self-check asked; null where the checklist does not say.';
comment on column fct_pair.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column fct_pair.known_to is 'Until when Tenken held it to be so, UTC, exclusive; 9999-12-31 while it does.';
