"""python -m dashboard access: read access.toml as the server would, before it does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dashboard.access.policy import FILE_NAME, Grant, Policy, PolicyProblem, fold, read_policy
from metrics.scopes import find_entities, list_unknown_units
from metrics.warehouse import Warehouse, WarehouseMissing, find_home, read_best


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 where everything can be used, 1 where something is amiss, 2 where nothing can be used."""
    parser = argparse.ArgumentParser(prog="python -m dashboard access", description=f"Look through {FILE_NAME}.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="every grant, with how many entities it opens, and what is amiss")
    who = commands.add_parser("who", help="what one reader sees")
    who.add_argument("address", help="address in the reader's token")
    who.add_argument("--group", action="append", default=[], help="a group in the reader's token; may be repeated")
    for command in (check, who):
        command.add_argument("--home", type=Path, help="folder of the warehouse; else $TENKEN_HOME, else data/")
    asked = parser.parse_args(arguments)
    home = find_home(asked.home)
    try:
        policy = read_policy(home)
    except PolicyProblem as problem:
        sys.stdout.write(f"{problem}\n")
        return 2
    try:
        return read_best(home, lambda warehouse: _look(policy, warehouse, asked))
    except WarehouseMissing as missing:
        sys.stdout.write(f"{missing}\n")
        return 2


def _look(policy: Policy, warehouse: Warehouse, asked: argparse.Namespace) -> int:
    for one in warehouse.passed:
        sys.stdout.write(f"{one.name} cannot be read, so that this is held against {warehouse.build_name}.\n")
    return _check(policy, warehouse) if asked.command == "check" else _say_who(policy, warehouse, asked)


def _check(policy: Policy, warehouse: Warehouse) -> int:
    is_amiss = False
    for number, grant in enumerate(policy.grants, 1):
        sys.stdout.write(f"{number}. {_say_grant(grant, warehouse)}\n")
        readers = [*(f"group {name}" for name in grant.groups), *grant.addresses]
        sys.stdout.write(f"   for {', '.join(readers)}\n")
        reach = grant.reach
        unknown = list_unknown_units(warehouse, reach.regions, reach.business_groups, reach.entities)
        if unknown:
            is_amiss = True
            sys.stdout.write(f"   No entity of {warehouse.build_name} has: {', '.join(unknown)}. They open nothing.\n")
    if not policy.grants:
        is_amiss = True
        sys.stdout.write("There is no [[grant]], so that nobody sees anything.\n")
    return int(is_amiss)


def _say_who(policy: Policy, warehouse: Warehouse, asked: argparse.Namespace) -> int:
    address = fold(asked.address)
    if address in policy.revoked:
        sys.stdout.write(f"{asked.address} is revoked and sees nothing.\n")
        return 1
    grants = policy.find_grants(address, asked.group)
    for grant in grants:
        sys.stdout.write(f"{_say_grant(grant, warehouse)}\n")
    if not grants:
        sys.stdout.write(f"No grant names {asked.address} or these groups, so that they see nothing.\n")
    return int(not grants)


def _say_grant(grant: Grant, warehouse: Warehouse) -> str:
    reach = grant.reach
    if reach.is_group:
        return f"{grant.say()} (every entity)"
    count = len(find_entities(warehouse, reach.regions, reach.business_groups, reach.entities))
    entities = "1 entity" if count == 1 else f"{count} entities"
    return f"{grant.say()} ({entities}{', and beside the group' if grant.compares else ''})"
