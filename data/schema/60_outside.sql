-- What of this build lies outside its file.

create table fact_file (
  table_name varchar not null,
  path varchar not null,
  byte_count bigint not null,
  row_count bigint not null,
  sha256 varchar not null
);
comment on table fact_file is 'One row per Parquet file that holds rows of a table outside the build, which then has a view in place of the table; none where the build holds all of its rows.';
comment on column fact_file.table_name is 'Table whose rows the file holds.';
comment on column fact_file.path is 'Where the file is, below the home.';
comment on column fact_file.byte_count is 'Size of the file in bytes.';
comment on column fact_file.row_count is 'Rows that the file holds.';
comment on column fact_file.sha256 is 'SHA-256 of the file''s bytes.';
