"""Every scenario, in the order in which a whole run plays them."""

from ..scenario import Scenario
from . import (
    clients, clocks, controls, disks, failovers, fallbacks, gateways, hosts, partitions, races, restarts, servers, zombies)

ALL: list[Scenario] = [
    *gateways.SCENARIOS, *servers.SCENARIOS, *hosts.SCENARIOS, *zombies.SCENARIOS, *clients.SCENARIOS, *disks.SCENARIOS,
    *clocks.SCENARIOS, *races.SCENARIOS, *restarts.SCENARIOS, *fallbacks.SCENARIOS, *failovers.SCENARIOS, *partitions.SCENARIOS,
    *controls.SCENARIOS,
]
