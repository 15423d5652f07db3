-- Rows read are loaded, unchanged or refused, and none of the counts is below nothing.
select file_name, rows_read, rows_loaded, rows_unchanged, rows_refused
from load
where rows_read <> rows_loaded + rows_unchanged + rows_refused
    or least(rows_loaded, rows_unchanged, rows_refused, rows_skipped) < 0
