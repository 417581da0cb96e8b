import path from 'node:path'

/**
 * Where a downloaded package lies until it is handed over: `<filesPath>/sat/<tenantId>/<paqueteId>.zip`. The id is the
 * SAT's; what it may not have in the name of a file is escaped, so that no answer chooses where we write.
 */
export const packagePath = (filesPath: string, tenantId: string, paqueteId: string): string =>
  path.join(filesPath, 'sat', tenantId, `${encodeURIComponent(paqueteId).replaceAll('.', '%2E')}.zip`)
