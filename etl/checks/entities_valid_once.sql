-- An entity has one set of attributes on each day, as known at each moment.
select a.entity_code, a.valid_from, b.valid_from as other_valid_from
from dim_entity a
join dim_entity b
    on b.entity_id = a.entity_id and b.valid_from > a.valid_from and b.valid_from < a.valid_to
    and b.known_from < a.known_to and a.known_from < b.known_to
