-- Dimensions with history. Every row holds between known_from (inclusive) and known_to (exclusive), UTC;
-- the first knowledge of a key counts from 0001-01-01, because a master that arrives late describes the past too.

create table dim_entity (
  entity_id bigint not null,
  entity_code varchar not null,
  name_en varchar not null,
  name_ja varchar not null,
  entity_kind varchar not null,
  region_code varchar,
  country_code varchar,
  business_group_code varchar,
  parent_entity_code varchar,
  has_privacymark boolean not null,
  privacymark_number varchar,
  privacymark_until_on date,
  valid_from date not null,
  valid_to date not null,
  known_from timestamp not null,
  known_to timestamp not null,
  load_id bigint not null
);
comment on table dim_entity is 'One row per entity, validity interval and known-at interval.';
comment on column dim_entity.entity_id is 'Id derived from entity_code; the same over the whole history.';
comment on column dim_entity.entity_code is 'Code of the entity in the group''s master; the only name that goes into links.';
comment on column dim_entity.name_en is 'Name in English.';
comment on column dim_entity.name_ja is 'Name in Japanese; the English name where the exports give none.';
comment on column dim_entity.entity_kind is 'head_office (a department of it), business_group, site or affiliate.';
comment on column dim_entity.region_code is 'Region in this interval; null where no export says.';
comment on column dim_entity.country_code is 'ISO 3166-1 alpha-2 code of the country; null where no export says.';
comment on column dim_entity.business_group_code is 'Entity code of the business group it belongs to; null for none.';
comment on column dim_entity.parent_entity_code is 'Entity code it reports to; null at the top.';
comment on column dim_entity.has_privacymark is 'Whether it holds, or has held, a PrivacyMark.';
comment on column dim_entity.privacymark_number is 'Registration number of the PrivacyMark.';
comment on column dim_entity.privacymark_until_on is 'Last day on which the PrivacyMark is valid.';
comment on column dim_entity.valid_from is 'First day on which these attributes hold in the world.';
comment on column dim_entity.valid_to is 'First day on which they no longer hold; 9999-12-31 while they do.';
comment on column dim_entity.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column dim_entity.known_to is 'Until when Tenken held it to be so, UTC, exclusive; 9999-12-31 while it does.';
comment on column dim_entity.load_id is 'Load that brought this row.';

create table dim_item (
  item_id bigint not null,
  checklist_code varchar not null,
  checklist_version varchar not null,
  item_code varchar not null,
  item_no integer not null,
  lineage_code varchar not null,
  text_en varchar not null,
  text_ja varchar not null,
  domain varchar,
  measure varchar,
  category_code varchar,
  category_en varchar,
  category_ja varchar,
  weight double not null,
  is_critical boolean not null,
  is_assessable boolean not null,
  regulation_ref varchar,
  control_ref varchar,
  known_from timestamp not null,
  known_to timestamp not null,
  load_id bigint not null
);
comment on table dim_item is 'One row per item of a checklist version and known-at interval.';
comment on column dim_item.item_id is 'Id derived from checklist code, version and item code.';
comment on column dim_item.checklist_code is 'Code of the checklist.';
comment on column dim_item.checklist_version is 'Version of the checklist, as the master names it.';
comment on column dim_item.item_code is 'Code of the item within the checklist version, as text (5.10 is not 5.1).';
comment on column dim_item.item_no is 'Position within the checklist version, from 0, without gaps.';
comment on column dim_item.lineage_code is 'Item lineage: checklist|version|item code of the earliest item this one carries on (carried over or reworded).';
comment on column dim_item.text_en is 'Requirement in English; the Japanese text or the code where no export gives one.';
comment on column dim_item.text_ja is 'Requirement in Japanese; the English text or the code where no export gives one.';
comment on column dim_item.domain is 'confidential_information or personal_information; null where the checklist does not say.';
comment on column dim_item.measure is 'organizational, human, physical or technological; null where the checklist does not say.';
comment on column dim_item.category_code is 'Category within the measure.';
comment on column dim_item.category_en is 'Name of the category in English.';
comment on column dim_item.category_ja is 'Name of the category in Japanese.';
comment on column dim_item.weight is 'Weight of the item in rates, 0 or more; 1 where the checklist gives none.';
comment on column dim_item.is_critical is 'Whether the group holds the item to be critical.';
comment on column dim_item.is_assessable is 'False for headings, which are in no denominator.';
comment on column dim_item.regulation_ref is 'Clause of the regulation behind the item.';
comment on column dim_item.control_ref is 'Reference to a published control, such as ISO/IEC 27001:2022 A.5.15.';
comment on column dim_item.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column dim_item.known_to is 'Until when Tenken held it to be so, UTC, exclusive.';
comment on column dim_item.load_id is 'Load that brought this row.';

create table brg_item_lineage (
  checklist_code varchar not null,
  from_version varchar not null,
  from_item_code varchar,
  from_item_id bigint,
  to_version varchar not null,
  to_item_code varchar,
  to_item_id bigint,
  change varchar not null,
  known_from timestamp not null,
  known_to timestamp not null,
  load_id bigint not null
);
comment on table brg_item_lineage is 'One row per link between an item and its successor in the next checklist version, and known-at interval.';
comment on column brg_item_lineage.checklist_code is 'Code of the checklist.';
comment on column brg_item_lineage.from_version is 'Earlier checklist version.';
comment on column brg_item_lineage.from_item_code is 'Item in the earlier version; null for a new item.';
comment on column brg_item_lineage.from_item_id is 'Id of the item in the earlier version; null for a new item.';
comment on column brg_item_lineage.to_version is 'Later checklist version.';
comment on column brg_item_lineage.to_item_code is 'Item in the later version; null for a dropped item.';
comment on column brg_item_lineage.to_item_id is 'Id of the item in the later version; null for a dropped item.';
comment on column brg_item_lineage.change is 'carried_over, reworded, split, merged, new or dropped.';
comment on column brg_item_lineage.known_from is 'From when Tenken knew this row, UTC, inclusive.';
comment on column brg_item_lineage.known_to is 'Until when Tenken held it to be so, UTC, exclusive.';
comment on column brg_item_lineage.load_id is 'Load that brought this row.';
