-- One row per entity, validity interval and known-at interval.
delete from dim_entity
where exists (
    select 1 from touched_key k where k.entity_code = dim_entity.entity_code and k.valid_from = dim_entity.valid_from
);

insert into dim_entity by name
select
    id_of('entity', entity_code) as entity_id,
    entity_code,
    coalesce(name_en, name_ja, entity_code) as name_en,
    coalesce(name_ja, name_en, entity_code) as name_ja,
    coalesce(entity_kind, 'affiliate') as entity_kind,
    region_code,
    country_code,
    business_group_code,
    parent_entity_code,
    privacymark_number is not null or privacymark_until_on is not null as has_privacymark,
    privacymark_number,
    privacymark_until_on,
    valid_from,
    coalesce(valid_to, date '9999-12-31') as valid_to,
    known_from,
    known_to,
    load_id
from folded;
