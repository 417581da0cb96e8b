import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findViolations } from './check-imports.ts'

const cases: { file: string; text: string; says?: RegExp }[] = [
  { file: 'src/cfdi/store-cfdis.ts', text: "import { recompute } from '../taxes/recompute.ts'" },
  { file: 'src/cfdi/store-cfdis.ts', text: "import { insertCfdis } from './queries.ts'" },
  {
    file: 'src/taxes/iva.ts',
    text: "import type { Cfdi } from '../cfdi/parse.ts'",
    says: /taxes may not import src\/cfdi/,
  },
  { file: 'src/taxes/recompute.ts', text: "import x from '../fiel/vault.ts'", says: /taxes may not import src\/fiel/ },
  {
    file: 'src/db/client.ts',
    text: "const m = await import('../http/zod.ts')",
    says: /:1 src\/db may not import src\/http/,
  },
  { file: 'src/db/client.ts', text: "// import x from '../app.ts'\nimport y from '../errors.ts'" },
  { file: 'src/db/client.test.ts', text: "import x from '../../test/support/cluster.ts'" },
  { file: 'src/novel/thing.ts', text: '', says: /in no room/ },
  { file: 'src/auth/login.ts', text: '\nawait sql`select 1`', says: /:2 SQL outside/ },
  { file: 'src/auth/login.ts', text: 'sql<{ n: number }>`select 1`', says: /SQL outside/ },
  { file: 'src/auth/login.ts', text: "db.selectFrom('users')", says: /SQL outside/ },
  { file: 'src/auth/queries.ts', text: "db.selectFrom('users')" },
  { file: 'src/auth/login.test.ts', text: "db.selectFrom('users')" },
  { file: 'src/auth/queries.ts', text: "import postgres from 'postgres'", says: /driver outside/ },
  { file: 'src/db/driver.ts', text: "import postgres from 'postgres'" },
  { file: 'src/taxes/iva.ts', text: 'const now = new Date()', says: /a clock/ },
  { file: 'src/taxes/iva.ts', text: "const day = new Date('2026-01-31')" },
  { file: 'src/fiscal/rfc.ts', text: 'Date.now()', says: /a clock/ },
  { file: 'src/cfdi/read/parse.ts', text: "import { readFileSync } from 'node:fs'", says: /I\/O in a pure/ },
  { file: 'src/cfdi/store-cfdis.ts', text: "import { readFileSync } from 'node:fs'" },
  { file: 'src/billing/mercadopago/signature.ts', text: 'const now = Date.now()', says: /a clock/ },
  { file: 'src/outbound/breaker.ts', text: 'const now = performance.now()' },
  { file: 'src/mail/messages.ts', text: "const link = 'https://horux360.mx' // process.env is read elsewhere" },
]

for (const { file, text, says } of cases) {
  test(`${file}: ${text.trim() || '(empty)'} ${says ? `is refused: ${says.source}` : 'is allowed'}`, () => {
    const violations = findViolations(new Map([[file, text]]))
    if (says) assert.match(violations.join('\n'), says)
    else assert.deepEqual(violations, [])
  })
}
