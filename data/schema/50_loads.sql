-- The log of loads, and the statements that dimensions and facts are derived from.

create table load (
  load_id bigint not null,
  load_no integer not null,
  file_name varchar not null,
  sha256 varchar not null,
  byte_count bigint not null,
  source_name varchar,
  archive_path varchar not null,
  loaded_at timestamp not null,
  known_at timestamp not null,
  known_at_origin varchar not null,
  given varchar,
  rows_read bigint not null,
  rows_loaded bigint not null,
  rows_unchanged bigint not null,
  rows_refused bigint not null,
  rows_skipped bigint not null
);
comment on table load is 'One row per file taken in; rows_read = rows_loaded + rows_unchanged + rows_refused.';
comment on column load.load_id is 'Id derived from sha256, file name and, where it was given, the knowledge date.';
comment on column load.load_no is 'Order in which files were taken in, from 1.';
comment on column load.file_name is 'Name of the file as it was handed in, without its folder.';
comment on column load.sha256 is 'SHA-256 of the file''s bytes.';
comment on column load.byte_count is 'Size of the file in bytes.';
comment on column load.source_name is 'Source that described it; null where none did.';
comment on column load.archive_path is 'Where its bytes are kept, below data/archive.';
comment on column load.loaded_at is 'When it was taken in, UTC.';
comment on column load.known_at is 'Knowledge date of rows that carry none of their own, UTC.';
comment on column load.known_at_origin is 'Who set known_at: given (on the command line), source (its rule) or now.';
comment on column load.given is 'What a person gave for the file, as JSON, such as {"entity": "TKY-01"}; null where nothing was.';
comment on column load.rows_read is 'Data rows in the file, after wide columns were turned into rows.';
comment on column load.rows_loaded is 'Rows that told something new.';
comment on column load.rows_unchanged is 'Rows that told what was already known.';
comment on column load.rows_refused is 'Rows refused.';
comment on column load.rows_skipped is 'Rows that the source declares not to be data, such as headings and sections.';

create table refusal (
  load_id bigint not null,
  sheet varchar,
  row_no bigint,
  column_name varchar,
  value varchar,
  reason_code varchar not null,
  reason varchar not null,
  suggestion varchar,
  is_row_refused boolean not null,
  row_text varchar
);
comment on table refusal is 'One row per reason for which a row, a cell or a whole file was not loaded.';
comment on column refusal.load_id is 'Load it belongs to.';
comment on column refusal.sheet is 'Sheet of the workbook; null for other files.';
comment on column refusal.row_no is 'Row of the file or sheet, from 1; null where the whole file was refused.';
comment on column refusal.column_name is 'Heading of the column as the file writes it.';
comment on column refusal.value is 'Value that was found there.';
comment on column refusal.reason_code is 'Kind of reason, such as unknown_entity.';
comment on column refusal.reason is 'What is wrong and what to do, in one sentence.';
comment on column refusal.suggestion is 'Nearest valid value, where one is near.';
comment on column refusal.is_row_refused is 'False where only the cell was left out and the rest of the row was loaded.';
comment on column refusal.row_text is 'The columns that the source names, as read: a JSON object from column key to text.';
