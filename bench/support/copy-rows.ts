import { createRequire } from 'node:module'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'

/** Every table that an import writes, in an order that foreign keys allow. Sums come by themselves: triggers keep them. */
const TABLES = [
  'cfdis',
  'cfdi_xml',
  'cfdi_conceptos',
  'cfdi_impuestos',
  'cfdi_relaciones',
  'cfdi_pagos',
  'cfdi_nominas',
  'cfdi_retenciones',
  'cfdi_avisos',
  'cfdi_busqueda',
  'movimientos',
  'iva_mensual',
] as const

export type Finished = ReadonlyMap<string, Buffer>

/** The rows of a database as COPY writes them. */
export async function readFinished(url: string): Promise<Finished> {
  const finished = new Map<string, Buffer>()
  for (const table of TABLES) finished.set(table, await readTable(url, table))
  return finished
}

export async function readTable(url: string, table: string): Promise<Buffer> {
  return connected(url, async (client) => {
    const chunks: Buffer[] = []
    for await (const chunk of client.query(copy.to(`copy ${table} to stdout`) as never) as unknown as Readable) {
      chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks)
  })
}

/** All of them into another database, in one transaction. */
export async function copyInto(url: string, finished: Finished): Promise<void> {
  await connected(url, async (client) => {
    await client.query('begin')
    for (const [table, rows] of finished) await copyTable(client, table, rows)
    await client.query('commit')
  })
}

export const copyTableInto = (url: string, table: string, rows: Buffer): Promise<void> =>
  connected(url, (client) => copyTable(client, table, rows))

async function copyTable(client: pg.Client, table: string, rows: Buffer): Promise<void> {
  await pipeline([rows], client.query(copy.from(`copy ${table} from stdin`) as never) as unknown as Writable)
}

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

// By require: checks run where the measurements' own dependencies are not installed.
const copy = createRequire(import.meta.url)('pg-copy-streams') as Record<'from' | 'to', (text: string) => unknown>
