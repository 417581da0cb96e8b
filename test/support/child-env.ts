/** What a child process gets of ours: where programs are, the zone, and the compiled code, which is most of its start. */
export function childEnv(): Record<string, string> {
  const { PATH = '', TZ = 'America/Mexico_City', NODE_COMPILE_CACHE } = process.env
  return { PATH, TZ, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) }
}
