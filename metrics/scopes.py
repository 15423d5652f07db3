"""From units of the organisation to the entities below them: what a reader of these units may see."""

from __future__ import annotations

from collections.abc import Sequence

from metrics.facts import known
from metrics.warehouse import Warehouse

# An entity counts where it stands now, or stood last before it left: with it goes all its history.
NOW = f"""now as (
    select entity_code, region_code, business_group_code, parent_entity_code
    from (
        select *, row_number() over (partition by entity_id order by valid_from desc) as interval_no
        from dim_entity
        where {known("dim_entity")}
    )
    where interval_no = 1
)"""

ENTITIES_BELOW = f"""with recursive {NOW},
held as (
    select entity_code
    from now
    where region_code in (select unnest($regions)) or entity_code in (select unnest($entities))
        or business_group_code in (select unnest($business_groups)) or entity_code in (select unnest($business_groups))
    union
    select n.entity_code
    from now n
    join held h on n.parent_entity_code = h.entity_code
        or (n.business_group_code = h.entity_code and h.entity_code in (select unnest($entities)))
)
select entity_code from held"""

UNKNOWN = f"""with {NOW}
select unnest($regions) except select region_code from now
union all
(select unnest($business_groups) except select business_group_code from now)
union all
(select unnest($entities) except select entity_code from now)"""


def find_entities(
    warehouse: Warehouse, regions: Sequence[str] = (), business_groups: Sequence[str] = (), entities: Sequence[str] = ()
) -> tuple[str, ...]:
    """Codes of the entities of regions and business groups, and of entities with everything below them."""
    return _read_codes(warehouse, ENTITIES_BELOW, regions, business_groups, entities)


def list_unknown_units(
    warehouse: Warehouse, regions: Sequence[str] = (), business_groups: Sequence[str] = (), entities: Sequence[str] = ()
) -> tuple[str, ...]:
    """Codes among these that no entity of the build has, in order."""
    return _read_codes(warehouse, UNKNOWN, regions, business_groups, entities)


def _read_codes(
    warehouse: Warehouse, sql: str, regions: Sequence[str], business_groups: Sequence[str], entities: Sequence[str]
) -> tuple[str, ...]:
    asked = {
        "regions": list(regions),
        "business_groups": list(business_groups),
        "entities": list(entities),
        "known_at": warehouse.newest_known_at(),
    }
    return tuple(sorted(str(code) for (code,) in warehouse.read_rows(sql, asked)))
