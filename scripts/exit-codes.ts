/** How a command ends, for the script that called it. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Some of many failed; or, with --dry-run, something would change. */
  partial: 3,
  /** A guard said no: nothing was touched. */
  refused: 4,
  /** Nothing is wrong with the request, but the database does not answer. EX_TEMPFAIL. */
  tryLater: 75,
  /** EX_CONFIG. */
  configuration: 78,
} as const
