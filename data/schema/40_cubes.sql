-- Cubes: answers counted per inspection. They hold changes, not states: what was known at T is the sum of the rows
-- with event_at <= T. An answer adds its counts when it becomes known and takes them back when it is superseded.

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
