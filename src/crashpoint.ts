/**
 * A named place where a test may have the process die as if somebody pulled its plug. Does nothing unless
 * `HORUX_CRASH_AT` names this very place, so it costs a comparison in production and needs no build of its own.
 */
export function crashpoint(name: string): void {
  if (process.env['HORUX_CRASH_AT'] === name) process.kill(process.pid, 'SIGKILL')
}
