-- One row per region: what exports say replaces the reference list.
insert or replace into dim_region
select region_code, coalesce(name_en, name_ja, region_code), coalesce(name_ja, name_en, region_code), 100
from folded
where known_to = timestamp '9999-12-31';
