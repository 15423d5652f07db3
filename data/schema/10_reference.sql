-- Reference tables: the calendar, regions and countries, and the facts about this build.

create table build (
  build_name varchar not null,
  built_at timestamp not null,
  schema_version integer not null,
  fiscal_first_month integer not null
);
comment on table build is 'One row: what this build file is.';
comment on column build.build_name is 'Name of the build; also its file name without the suffix.';
comment on column build.built_at is 'When the build was made, UTC.';
comment on column build.schema_version is 'Version of the schema in data/schema that the build follows.';
comment on column build.fiscal_first_month is 'First month of the fiscal year, 1 to 12; fiscal years are named by the calendar year they begin in.';

create table dim_period (
  period_code varchar primary key,
  period_kind varchar not null,
  first_on date not null,
  last_on date not null,
  fiscal_year integer not null,
  fiscal_half varchar,
  fiscal_quarter varchar,
  fiscal_month varchar
);
comment on table dim_period is 'One row per fiscal year, half, quarter and month.';
comment on column dim_period.period_code is 'FY2025, FY2025-H1, FY2025-Q3 or 2025-10.';
comment on column dim_period.period_kind is 'fiscal_year, half, quarter or month.';
comment on column dim_period.first_on is 'First day of the period.';
comment on column dim_period.last_on is 'Last day of the period.';
comment on column dim_period.fiscal_year is 'Fiscal year the period lies in, named by the calendar year it begins in.';
comment on column dim_period.fiscal_half is 'Code of the half the period lies in; null for a fiscal year.';
comment on column dim_period.fiscal_quarter is 'Code of the quarter the period lies in; null for a fiscal year or half.';
comment on column dim_period.fiscal_month is 'Code of the month; null for anything longer than a month.';

create table dim_region (
  region_code varchar primary key,
  name_en varchar not null,
  name_ja varchar not null,
  sort_no integer not null
);
comment on table dim_region is 'One row per region of a group.';
comment on column dim_region.region_code is 'Code of the region as exports write it.';
comment on column dim_region.name_en is 'Name in English.';
comment on column dim_region.name_ja is 'Name in Japanese; the English name where the exports give none.';
comment on column dim_region.sort_no is 'Position in lists, ascending.';

create table dim_country (
  country_code varchar primary key,
  name_en varchar not null,
  name_ja varchar not null,
  numeric_code integer
);
comment on table dim_country is 'One row per country.';
comment on column dim_country.country_code is 'ISO 3166-1 alpha-2 code.';
comment on column dim_country.name_en is 'Name in English.';
comment on column dim_country.name_ja is 'Name in Japanese.';
comment on column dim_country.numeric_code is 'ISO 3166-1 numeric code, the id of map shapes.';
