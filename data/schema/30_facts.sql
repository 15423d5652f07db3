-- Facts. known_from (inclusive) and known_to (exclusive) as in the dimensions; a fact has no knowledge before its load's.

create table fct_inspection (
  inspection_id bigint not null,
  inspection_code varchar,
  inspection_type varchar not null,
  entity_id bigint not null,
  inspecting_entity_id bigint,
  period_code varchar not null,
  fiscal_year integer not null,
  fiscal_half varchar,
  fiscal_quarter varchar,
  fiscal_month varchar,
  performed_on date,
  submitted_on date,
  reference_on date not null,
  checklist_code varchar not null,
  checklist_version varchar not null,
  source_name varchar not null,
  known_from timestamp not null,
  known_to timestamp not null,
  load_id bigint not null
);
comment on table fct_inspection is 'One row per inspection (one check of one entity in one period) and known-at interval.';
comment on column fct_inspection.inspection_id is 'Id derived from type, entity, inspecting entity, period, inspection code and checklist version.';
comment on column fct_inspection.inspection_code is 'The source''s own number of the inspection, where it has one.';
comment on column fct_inspection.inspection_type is 'self_check, mutual_check, affiliate_check or privacy_audit.';
comment on column fct_inspection.entity_id is 'Entity that was inspected.';
comment on column fct_inspection.inspecting_entity_id is 'Entity that inspected it; null for a self-check or where no export says.';
comment on column fct_inspection.period_code is 'Period the inspection speaks about.';
comment on column fct_inspection.fiscal_year is 'Fiscal year of the period, named by the calendar year it begins in.';
comment on column fct_inspection.fiscal_half is 'Half of the period, or of reference_on where the period is a year.';
comment on column fct_inspection.fiscal_quarter is 'Quarter of the period, or of reference_on where the period is longer and the inspection was performed.';
comment on column fct_inspection.fiscal_month is 'Month of the period, or of reference_on where the period is longer and the inspection was performed.';
comment on column fct_inspection.performed_on is 'Day on which it was performed; null where no export says.';
comment on column fct_inspection.submitted_on is 'Day on which its result was handed in; null where no export says.';
comment on column fct_inspection.reference_on is 'Day whose entity attributes its figures use: performed_on held within the period, else the period''s last day.';
comment on column fct_inspection.checklist_code is 'Checklist that was asked.';
comment on column fct_inspection.checklist_version is 'Version of the checklist that was asked.';
comment on column fct_inspection.source_name is 'Source whose export brought it.';
comment on column fct_inspection.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column fct_inspection.known_to is 'Until when Tenken held it to be so, UTC, exclusive.';
comment on column fct_inspection.load_id is 'Load that brought this row.';

create table fct_answer (
  inspection_id bigint not null,
  item_id bigint not null,
  verdict varchar not null,
  score double,
  answer varchar,
  written_score double,
  comment varchar,
  has_evidence boolean,
  known_from timestamp not null,
  known_to timestamp not null,
  load_id bigint not null,
  sheet varchar,
  row_no bigint not null
);
comment on table fct_answer is 'One row per inspection, item and known-at interval: what was written and what it means.';
comment on column fct_answer.inspection_id is 'Inspection the answer belongs to.';
comment on column fct_answer.item_id is 'Item that was answered.';
comment on column fct_answer.verdict is 'met, partly_met, not_met, not_applicable or not_answered.';
comment on column fct_answer.score is 'Degree of fulfilment 0..1 (met 1, partly met 0.5, not met 0); null when not applicable or not answered.';
comment on column fct_answer.answer is 'The answer as written.';
comment on column fct_answer.written_score is 'Score as written, on the source''s own scale; null where it writes none.';
comment on column fct_answer.comment is 'Comment as written.';
comment on column fct_answer.has_evidence is 'Whether the answer names evidence; null where the source does not ask.';
comment on column fct_answer.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column fct_answer.known_to is 'Until when Tenken held it to be so, UTC, exclusive.';
comment on column fct_answer.load_id is 'Load that brought this row.';
comment on column fct_answer.sheet is 'Sheet of the workbook it was read from; null for other files.';
comment on column fct_answer.row_no is 'Row of the file or sheet it was read from, from 1.';

create table fct_plan (
  plan_id bigint not null,
  inspection_type varchar not null,
  entity_id bigint not null,
  inspecting_entity_id bigint,
  period_code varchar not null,
  fiscal_year integer not null,
  fiscal_half varchar,
  fiscal_quarter varchar,
  fiscal_month varchar,
  due_on date not null,
  is_cancelled boolean not null,
  known_from timestamp not null,
  known_to timestamp not null,
  load_id bigint not null
);
comment on table fct_plan is 'One row per planned inspection and known-at interval.';
comment on column fct_plan.plan_id is 'Id derived from type, entity, inspecting entity and period.';
comment on column fct_plan.inspection_type is 'self_check, mutual_check, affiliate_check or privacy_audit.';
comment on column fct_plan.entity_id is 'Entity to be inspected.';
comment on column fct_plan.inspecting_entity_id is 'Entity that shall inspect it; null for a self-check or where open.';
comment on column fct_plan.period_code is 'Period the planned inspection speaks about.';
comment on column fct_plan.fiscal_year is 'Fiscal year of the period.';
comment on column fct_plan.fiscal_half is 'Half of the period, or of due_on where the period is a year.';
comment on column fct_plan.fiscal_quarter is 'Quarter of the period, or of due_on where the period is longer.';
comment on column fct_plan.fiscal_month is 'Month of the period, or of due_on where the period is longer.';
comment on column fct_plan.due_on is 'Last day for handing in the result.';
comment on column fct_plan.is_cancelled is 'Whether the inspection was taken off the plan.';
comment on column fct_plan.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column fct_plan.known_to is 'Until when Tenken held it to be so, UTC, exclusive.';
comment on column fct_plan.load_id is 'Load that brought this row.';

create table fct_finding (
  finding_id bigint not null,
  finding_code varchar not null,
  entity_id bigint not null,
  inspection_type varchar,
  period_code varchar not null,
  fiscal_year integer not null,
  fiscal_half varchar,
  fiscal_quarter varchar,
  fiscal_month varchar,
  checklist_code varchar,
  checklist_version varchar,
  item_id bigint,
  severity varchar not null,
  description varchar,
  raised_on date not null,
  closed_on date,
  status varchar not null,
  reopened_count integer not null,
  known_from timestamp not null,
  known_to timestamp not null,
  load_id bigint not null
);
comment on table fct_finding is 'One row per finding and known-at interval; a finding keeps its identity across rounds.';
comment on column fct_finding.finding_id is 'Id derived from finding_code.';
comment on column fct_finding.finding_code is 'Number of the finding.';
comment on column fct_finding.entity_id is 'Entity it was raised against.';
comment on column fct_finding.inspection_type is 'Type of the inspection that raised it; null where no export says.';
comment on column fct_finding.period_code is 'Period in which it was raised.';
comment on column fct_finding.fiscal_year is 'Fiscal year in which it was raised.';
comment on column fct_finding.fiscal_half is 'Half in which it was raised.';
comment on column fct_finding.fiscal_quarter is 'Quarter in which it was raised.';
comment on column fct_finding.fiscal_month is 'Month in which it was raised.';
comment on column fct_finding.checklist_code is 'Checklist of the item it was raised on.';
comment on column fct_finding.checklist_version is 'Version of that checklist.';
comment on column fct_finding.item_id is 'Item it was raised on; null where it is about no single item.';
comment on column fct_finding.severity is 'major, minor or observation.';
comment on column fct_finding.description is 'What was found, as written.';
comment on column fct_finding.raised_on is 'Day on which it was raised.';
comment on column fct_finding.closed_on is 'Day on which it was closed; null while open.';
comment on column fct_finding.status is 'open or closed.';
comment on column fct_finding.reopened_count is 'How often it was opened again after it had been closed.';
comment on column fct_finding.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column fct_finding.known_to is 'Until when Tenken held it to be so, UTC, exclusive.';
comment on column fct_finding.load_id is 'Load that brought this row.';

create table fct_action (
  action_id bigint not null,
  action_code varchar not null,
  finding_id bigint not null,
  owner varchar,
  description varchar,
  due_on date,
  completed_on date,
  effectiveness varchar not null,
  effectiveness_checked_on date,
  known_from timestamp not null,
  known_to timestamp not null,
  load_id bigint not null
);
comment on table fct_action is 'One row per corrective action and known-at interval.';
comment on column fct_action.action_id is 'Id derived from action_code.';
comment on column fct_action.action_code is 'Number of the corrective action.';
comment on column fct_action.finding_id is 'Finding it corrects.';
comment on column fct_action.owner is 'Who is to do it, as written.';
comment on column fct_action.description is 'What is to be done, as written.';
comment on column fct_action.due_on is 'Last day for it; null where none was set.';
comment on column fct_action.completed_on is 'Day on which it was completed; null while open.';
comment on column fct_action.effectiveness is 'effective, not_effective or not_checked.';
comment on column fct_action.effectiveness_checked_on is 'Day of the effectiveness check; null before it.';
comment on column fct_action.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column fct_action.known_to is 'Until when Tenken held it to be so, UTC, exclusive.';
comment on column fct_action.load_id is 'Load that brought this row.';
