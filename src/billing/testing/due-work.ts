import { definitionOf, jobNames } from '../../queue/jobs.ts'

/** Periodic jobs that look for what has come due. Their turns are of the real time, so a moved clock asks for them itself. */
export const DUE_WORK = jobNames.filter(
  (name) => /^billing\.(sweep|reconcile|monitor)/.test(name) && definitionOf(name).cron !== undefined,
)
