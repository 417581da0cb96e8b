import { receiveCfdiPackage } from '../../src/sat/paquetes/receive-cfdi-package.ts'
import { openTenant } from './scratch-tenant.ts'

// A process of its own, which a test lets die: <url> <tenantId> <filesPath> <paqueteId> <zip>
const [url = '', tenantId = '', filesPath = '', paqueteId = '', zip = ''] = process.argv.slice(2)
const db = Object.assign(openTenant(url), { tenantId })
await receiveCfdiPackage({ config: { filesPath }, clock: { now: () => new Date() } }, db, { paqueteId, zip })
await db.destroy()
