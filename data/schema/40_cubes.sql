-- Cubes: what questions count, counted beforehand. Those of answers by category and by measure hold changes, not states:
-- what was known at T is the sum of the rows with event_at <= T. An answer adds its counts when it
-- becomes known and takes them back when it is superseded.

create table cube_category (
  inspection_id bigint not null,
  domain varchar,
  measure varchar,
  category_code varchar,
  event_at timestamp not null,
  met bigint not null,
  partly_met bigint not null,
  not_met bigint not null,
  not_applicable bigint not null,
  not_answered bigint not null,
  weight_applicable double not null,
  weight_scored double not null,
  weight_met double not null,
  written_score double not null,
  written_scores bigint not null
);
comment on table cube_category is 'One row per inspection, domain, measure, category, moment at which its counts changed, and direction: what came to be known and what was superseded.';
comment on column cube_category.inspection_id is 'Inspection the answers belong to.';
comment on column cube_category.domain is 'Domain of the items.';
comment on column cube_category.measure is 'Measure of the items.';
comment on column cube_category.category_code is 'Category of the items.';
comment on column cube_category.event_at is 'Moment from which this change is known, UTC.';
comment on column cube_category.met is 'Change in the number of answers met.';
comment on column cube_category.partly_met is 'Change in the number of answers partly met.';
comment on column cube_category.not_met is 'Change in the number of answers not met.';
comment on column cube_category.not_applicable is 'Change in the number of answers not applicable.';
comment on column cube_category.not_answered is 'Change in the number of items not answered.';
comment on column cube_category.weight_applicable is 'Change in the sum of weights over applicable, answered items.';
comment on column cube_category.weight_scored is 'Change in the sum of weight times score over the same items.';
comment on column cube_category.weight_met is 'Change in the sum of weights over items met.';
comment on column cube_category.written_score is 'Change in the sum of scores as written.';
comment on column cube_category.written_scores is 'Change in the number of scores as written.';

create table cube_measure (
  inspection_id bigint not null,
  domain varchar,
  measure varchar,
  event_at timestamp not null,
  met bigint not null,
  partly_met bigint not null,
  not_met bigint not null,
  not_applicable bigint not null,
  not_answered bigint not null,
  weight_applicable double not null,
  weight_scored double not null,
  weight_met double not null,
  written_score double not null,
  written_scores bigint not null
);
comment on table cube_measure is 'One row per inspection, domain, measure and moment at which its counts changed: cube_category without the category.';
comment on column cube_measure.inspection_id is 'Inspection the answers belong to.';
comment on column cube_measure.domain is 'Domain of the items.';
comment on column cube_measure.measure is 'Measure of the items.';
comment on column cube_measure.event_at is 'Moment from which this change is known, UTC.';
comment on column cube_measure.met is 'Change in the number of answers met.';
comment on column cube_measure.partly_met is 'Change in the number of answers partly met.';
comment on column cube_measure.not_met is 'Change in the number of answers not met.';
comment on column cube_measure.not_applicable is 'Change in the number of answers not applicable.';
comment on column cube_measure.not_answered is 'Change in the number of items not answered.';
comment on column cube_measure.weight_applicable is 'Change in the sum of weights over applicable, answered items.';
comment on column cube_measure.weight_scored is 'Change in the sum of weight times score over the same items.';
comment on column cube_measure.weight_met is 'Change in the sum of weights over items met.';
comment on column cube_measure.written_score is 'Change in the sum of scores as written.';
comment on column cube_measure.written_scores is 'Change in the number of scores as written.';

-- States, not changes: what an inspection and its counts were known to be, for questions that need no more of either.
create table cube_inspection (
  inspection_id bigint not null,
  inspection_type varchar not null,
  entity_id bigint not null,
  inspecting_entity_id bigint,
  fiscal_year integer not null,
  fiscal_half varchar,
  fiscal_quarter varchar,
  fiscal_month varchar,
  reference_on date not null,
  checklist_code varchar not null,
  checklist_version varchar not null,
  known_from timestamp not null,
  known_to timestamp not null,
  met bigint not null,
  partly_met bigint not null,
  not_met bigint not null,
  not_applicable bigint not null,
  not_answered bigint not null,
  weight_applicable double not null,
  weight_scored double not null,
  weight_met double not null,
  written_score double not null,
  written_scores bigint not null
);
comment on table cube_inspection is 'One row per inspection with an answer and known-at interval of it and its counts.';
comment on column cube_inspection.inspection_id is 'The inspection.';
comment on column cube_inspection.inspection_type is 'self_check, mutual_check, affiliate_check or privacy_audit.';
comment on column cube_inspection.entity_id is 'Entity that was inspected.';
comment on column cube_inspection.inspecting_entity_id is 'Entity that inspected it; null for a self-check or where no export says.';
comment on column cube_inspection.fiscal_year is 'Fiscal year of the period, named by the calendar year it begins in.';
comment on column cube_inspection.fiscal_half is 'Half of the period, or of reference_on where the period is a year.';
comment on column cube_inspection.fiscal_quarter is 'Quarter of the period, or of reference_on where the period is longer and the inspection was performed.';
comment on column cube_inspection.fiscal_month is 'Month of the period, or of reference_on where the period is longer and the inspection was performed.';
comment on column cube_inspection.reference_on is 'Day whose entity attributes its figures use: performed_on held within the period, else the period''s last day.';
comment on column cube_inspection.checklist_code is 'Checklist that was asked.';
comment on column cube_inspection.checklist_version is 'Version of the checklist that was asked.';
comment on column cube_inspection.known_from is 'From when this was known, UTC, inclusive.';
comment on column cube_inspection.known_to is 'Until when it was held to be so, UTC, exclusive.';
comment on column cube_inspection.met is 'Answers met.';
comment on column cube_inspection.partly_met is 'Answers partly met.';
comment on column cube_inspection.not_met is 'Answers not met.';
comment on column cube_inspection.not_applicable is 'Answers not applicable.';
comment on column cube_inspection.not_answered is 'Items not answered.';
comment on column cube_inspection.weight_applicable is 'Sum of weights over applicable, answered items.';
comment on column cube_inspection.weight_scored is 'Sum of weight times score over the same items.';
comment on column cube_inspection.weight_met is 'Sum of weights over items met.';
comment on column cube_inspection.written_score is 'Sum of scores as written.';
comment on column cube_inspection.written_scores is 'Number of scores as written.';

-- Pairs of answers as states, too.
create table cube_pair (
  inspection_id bigint not null,
  self_inspection_id bigint not null,
  inspection_type varchar not null,
  entity_id bigint not null,
  inspecting_entity_id bigint,
  fiscal_year integer not null,
  fiscal_half varchar,
  fiscal_quarter varchar,
  fiscal_month varchar,
  reference_on date not null,
  checklist_code varchar not null,
  checklist_version varchar not null,
  is_whole boolean not null,
  domain varchar,
  measure varchar,
  category_code varchar,
  self_domain varchar,
  known_from timestamp not null,
  known_to timestamp not null,
  met_self_met bigint not null,
  met_self_partly_met bigint not null,
  met_self_not_met bigint not null,
  partly_met_self_met bigint not null,
  partly_met_self_partly_met bigint not null,
  partly_met_self_not_met bigint not null,
  not_met_self_met bigint not null,
  not_met_self_partly_met bigint not null,
  not_met_self_not_met bigint not null,
  self_higher bigint not null,
  self_lower bigint not null,
  equal_scores bigint not null,
  widest_gaps bigint not null,
  weight_paired double not null,
  weight_self_scored double not null,
  weight_outside_scored double not null
);
comment on table cube_pair is 'One row per outside check, self-check, domain, measure, category, domain of the self-check and known-at interval of the counts of their pairs; and one for all of these together (is_whole), for questions that do not tell items apart.';
comment on column cube_pair.inspection_id is 'Outside check the pairs belong to.';
comment on column cube_pair.self_inspection_id is 'Self-check the pairs belong to.';
comment on column cube_pair.inspection_type is 'mutual_check, affiliate_check or privacy_audit.';
comment on column cube_pair.entity_id is 'Entity that both inspected.';
comment on column cube_pair.inspecting_entity_id is 'Entity that inspected it; null where no export says.';
comment on column cube_pair.fiscal_year is 'Fiscal year of the period, named by the calendar year it begins in.';
comment on column cube_pair.fiscal_half is 'Half of the period, or of reference_on where the period is a year.';
comment on column cube_pair.fiscal_quarter is 'Quarter of the period, or of reference_on where the period is longer and the inspection was performed.';
comment on column cube_pair.fiscal_month is 'Month of the period, or of reference_on where the period is longer and the inspection was performed.';
comment on column cube_pair.reference_on is 'Day whose entity attributes its figures use: performed_on held within the period, else the period''s last day.';
comment on column cube_pair.checklist_code is 'Checklist that was asked.';
comment on column cube_pair.checklist_version is 'Version of the checklist that was asked.';
comment on column cube_pair.is_whole is 'Whether all pairs of the two inspections are counted, whatever their items; the other rows then say the same again.';
comment on column cube_pair.domain is 'Domain of the items that the outside check asked.';
comment on column cube_pair.measure is 'Measure of the items that the outside check asked.';
comment on column cube_pair.category_code is 'Category of the items that the outside check asked.';
comment on column cube_pair.self_domain is 'Domain of the items that the self-check asked.';
comment on column cube_pair.known_from is 'From when this was known, UTC, inclusive.';
comment on column cube_pair.known_to is 'Until when it was held to be so, UTC, exclusive.';
comment on column cube_pair.met_self_met is 'Number of pairs in which the outside check says met and the self-check met.';
comment on column cube_pair.met_self_partly_met is 'Number of pairs in which the outside check says met and the self-check partly met.';
comment on column cube_pair.met_self_not_met is 'Number of pairs in which the outside check says met and the self-check not met.';
comment on column cube_pair.partly_met_self_met is 'Number of pairs in which the outside check says partly met and the self-check met.';
comment on column cube_pair.partly_met_self_partly_met is 'Number of pairs in which the outside check says partly met and the self-check partly met.';
comment on column cube_pair.partly_met_self_not_met is 'Number of pairs in which the outside check says partly met and the self-check not met.';
comment on column cube_pair.not_met_self_met is 'Number of pairs in which the outside check says not met and the self-check met.';
comment on column cube_pair.not_met_self_partly_met is 'Number of pairs in which the outside check says not met and the self-check partly met.';
comment on column cube_pair.not_met_self_not_met is 'Number of pairs in which the outside check says not met and the self-check not met.';
comment on column cube_pair.self_higher is 'Number of pairs in which the self-check scores higher.';
comment on column cube_pair.self_lower is 'Number of pairs in which it scores lower.';
comment on column cube_pair.equal_scores is 'Number of pairs in which both score the same.';
comment on column cube_pair.widest_gaps is 'Number of pairs in which the self-check scores 1 and the outside check 0.';
comment on column cube_pair.weight_paired is 'Sum of weights of the items that the outside check asked.';
comment on column cube_pair.weight_self_scored is 'Sum of these weights times the score of the self-check.';
comment on column cube_pair.weight_outside_scored is 'Sum of these weights times the score of the outside check.';

-- Plans with what was handed in for them.
create table cube_plan (
  plan_id bigint not null,
  inspection_type varchar not null,
  entity_id bigint not null,
  inspecting_entity_id bigint,
  fiscal_year integer not null,
  fiscal_half varchar,
  fiscal_quarter varchar,
  fiscal_month varchar,
  due_on date not null,
  inspections bigint not null,
  handed_in_on date,
  known_from timestamp not null,
  known_to timestamp not null
);
comment on table cube_plan is 'One row per planned inspection that is not cancelled and known-at interval of it and of what was handed in for it.';
comment on column cube_plan.plan_id is 'The planned inspection.';
comment on column cube_plan.inspection_type is 'self_check, mutual_check, affiliate_check or privacy_audit.';
comment on column cube_plan.entity_id is 'Entity to be inspected.';
comment on column cube_plan.inspecting_entity_id is 'Entity that shall inspect it; null for a self-check or where open.';
comment on column cube_plan.fiscal_year is 'Fiscal year of the period.';
comment on column cube_plan.fiscal_half is 'Half of the period, or of due_on where the period is a year.';
comment on column cube_plan.fiscal_quarter is 'Quarter of the period, or of due_on where the period is longer.';
comment on column cube_plan.fiscal_month is 'Month of the period, or of due_on where the period is longer.';
comment on column cube_plan.due_on is 'Last day for handing in the result.';
comment on column cube_plan.inspections is 'Inspections that perform it: those of its type, entity and period, and of its inspecting entity where both name one.';
comment on column cube_plan.handed_in_on is 'Day on which the first of them was handed in, else performed, else known; a later correction leaves it. Null while there is none.';
comment on column cube_plan.known_from is 'From when this was known, UTC, inclusive.';
comment on column cube_plan.known_to is 'Until when it was held to be so, UTC, exclusive.';

-- Answers as bits: 63 inspections of one type, period and checklist version in one row per item.
create table brg_inspection_block (
  inspection_id bigint not null,
  block_no integer not null,
  lane_no integer not null,
  entity_no integer not null,
  mark bigint not null
);
comment on table brg_inspection_block is 'One row per inspection: the block of inspections of one type, period and checklist version that it is counted in, and its bit there. Numbers are given in the order of arrival.';
comment on column brg_inspection_block.inspection_id is 'The inspection.';
comment on column brg_inspection_block.block_no is 'Number of the block, in which every entity has one inspection at most.';
comment on column brg_inspection_block.lane_no is 'Which of several inspections of the entity that are alike in type, period and checklist version, from 1.';
comment on column brg_inspection_block.entity_no is 'Number of the inspected entity, from 0; 63 of them make a block.';
comment on column brg_inspection_block.mark is 'The bit of the entity: 2 to the power of entity_no modulo 63.';

create table cube_item (
  block_no integer not null,
  item_id bigint not null,
  own_score double,
  written_score double,
  known_from timestamp not null,
  known_to timestamp not null,
  met_marks bigint not null,
  partly_met_marks bigint not null,
  not_met_marks bigint not null,
  not_applicable_marks bigint not null,
  not_answered_marks bigint not null
);
comment on table cube_item is 'One row per block of inspections, item, own score, written score and known-at interval: which inspections of the block have which verdict, as bits.';
comment on column cube_item.block_no is 'Block of inspections (brg_inspection_block).';
comment on column cube_item.item_id is 'Item that was answered.';
comment on column cube_item.own_score is 'Degree of fulfilment 0..1 of these answers where it differs from their verdict''s (met 1, partly met 0.5, not met 0); else null.';
comment on column cube_item.written_score is 'Score as written, on the source''s own scale; null where none is.';
comment on column cube_item.known_from is 'From when these answers were known, UTC, inclusive; 0001-01-01 where since the inspection is.';
comment on column cube_item.known_to is 'Until when they were held to be so, UTC, exclusive.';
comment on column cube_item.met_marks is 'Bits of the inspections in which the item is met.';
comment on column cube_item.partly_met_marks is 'Bits of the inspections in which it is partly met.';
comment on column cube_item.not_met_marks is 'Bits of the inspections in which it is not met.';
comment on column cube_item.not_applicable_marks is 'Bits of the inspections in which it does not apply.';
comment on column cube_item.not_answered_marks is 'Bits of the inspections in which it was not answered.';
