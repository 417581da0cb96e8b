/**
 * How many sessions a tenant's role may have: what every process may open, twice, because during a rolling restart the
 * old ones still hold theirs. Three processes (two APIs and a worker) are assumed even while fewer have registered.
 */
export const sessionsPerTenant = (perProcess: number, processes: number): number =>
  perProcess * Math.max(3, processes) * 2
