/** One thing that was looked at. Texts are Spanish: an operator reads them. */
export interface Finding {
  check: string
  /** `configuration` and `unreachable` are failures that end with an exit code of their own. */
  state: 'ok' | 'info' | 'warning' | 'failed' | 'configuration' | 'unreachable'
  detail: string
  /** What to do about it. Every failure and warning has one. */
  remedy?: string
}

export type Check = () => Finding | Promise<Finding>

export const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail })

export const problem = (check: string, state: Finding['state'], detail: string, remedy: string): Finding => ({
  check,
  state,
  detail,
  remedy,
})
