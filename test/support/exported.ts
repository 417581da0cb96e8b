import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SaxesParser } from 'saxes'
import { openZip } from '../../src/cfdi/bulk/zip.ts'
import { type Client, type Product, until } from './product.ts'

export interface Exported {
  id: string
  estado: string
  total: number | null
  procesados: number
  bytes: number | null
  sha256: string | null
  venceEn: string | null
  error: { code: string; mensaje: string } | null
}

/** Asks for an export and waits for its end. */
export async function exportAs(who: Client, formato: string, filtro: object = {}): Promise<Exported> {
  const asked = await who.post('/api/cfdi/exportaciones', { formato, filtro })
  assert.equal(asked.statusCode, 202, asked.body)
  return ended(who, asked.json().id)
}

export async function ended(who: Client, id: string): Promise<Exported> {
  return until(
    `the end of export ${id}`,
    async () => {
      const now = (await who.get(`/api/cfdi/exportaciones/${id}`)).json() as Exported
      return now.estado === 'pendiente' || now.estado === 'procesando' ? undefined : now
    },
    60_000,
  )
}

/** The path of a new link to an export, without the host. */
export async function linkTo(who: Client, id: string): Promise<string> {
  const minted = await who.post(`/api/cfdi/exportaciones/${id}/enlace`)
  assert.equal(minted.statusCode, 201, minted.body)
  return new URL(minted.json().url).pathname
}

/** The bytes of an export, as somebody without a login downloads them. */
export async function download(product: Product, who: Client, formato: string, filtro: object = {}): Promise<Buffer> {
  const { id, estado, error } = await exportAs(who, formato, filtro)
  assert.equal(estado, 'lista', JSON.stringify(error))
  const answer = await product.anonymous.get(await linkTo(who, id))
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.rawPayload
}

/** Rows of a CSV by RFC 4180, each by the titles of the first; the mark in front is asked for. */
export function readCsv(bytes: Buffer): Record<string, string>[] {
  const text = bytes.toString('utf8')
  assert.equal(text[0], '\ufeff', 'a spreadsheet needs the mark')
  const rows: string[][] = []
  let row: string[] = []
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|$)/gy
  cell.lastIndex = 1
  for (let match = cell.exec(text); match && cell.lastIndex <= text.length; match = cell.exec(text)) {
    const [, raw = '', end] = match
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw)
    if (end === ',') continue
    rows.push(row)
    row = []
    if (end === '' || cell.lastIndex === text.length) break
  }
  const [titles = [], ...data] = rows
  return data.map((values) => {
    assert.equal(values.length, titles.length, 'every line has every column')
    return Object.fromEntries(titles.map((title, n) => [title, values[n] as string]))
  })
}

/** Members of an archive by their names, read by the reader of uploads; Info-ZIP must find nothing wrong with it either. */
export async function readZip(bytes: Buffer): Promise<Map<string, Buffer>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-zip-'))
  try {
    const file = path.join(folder, 'a.zip')
    writeFileSync(file, bytes)
    infoZip(file)
    // What we write is larger than what we take.
    const limits = { entries: 10_000_000, totalBytes: 8 * 1024 ** 3, entryBytes: 1024 ** 3, ratio: 1_000 }
    await using zip = await openZip(file, limits)
    const members = new Map<string, Buffer>()
    for (const entry of zip.entries) {
      assert.ok(!members.has(entry.name), `${entry.name} is there twice`)
      members.set(entry.name, await zip.read(entry))
    }
    return members
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A second opinion, where it is installed. @throws when it finds an error */
export function infoZip(file: string): void {
  try {
    execFileSync('unzip', ['-tqq', file], { stdio: 'pipe' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

export interface SheetCell {
  /** As it stands in the part: text of a string, digits of a number. */
  value: string
  type: 'text' | 'number'
  /** Its entry of `cellXfs`. */
  style: Record<string, string>
  formula: boolean
}

export interface Workbook {
  /** Sheets in their order: rows by number, cells by column letters. */
  sheets: {
    name: string
    rows: Map<number, Map<string, SheetCell>>
    pane: string | undefined
    filter: string | undefined
  }[]
}

/** A workbook taken apart by its XML, with a parser that refuses what is not well formed. */
export async function readXlsx(bytes: Buffer): Promise<Workbook> {
  const parts = await readZip(bytes)
  const part = (name: string) => {
    const found = parts.get(name)
    assert.ok(found, `${name} is missing`)
    return found.toString('utf8')
  }
  const styles: Record<string, string>[] = []
  let inXfs = false
  walk(part('xl/styles.xml'), {
    open: (name, attributes) => {
      if (name === 'cellXfs') inXfs = true
      if (name === 'xf' && inXfs) styles.push(attributes)
    },
    close: (name) => {
      if (name === 'cellXfs') inXfs = false
    },
  })
  const names: string[] = []
  walk(part('xl/workbook.xml'), {
    open: (name, { name: title = '' }) => {
      if (name === 'sheet') names.push(title)
    },
  })
  assert.ok(part('[Content_Types].xml').includes(`/xl/worksheets/sheet${names.length}.xml`))
  return { sheets: names.map((name, n) => readSheet(name, part(`xl/worksheets/sheet${n + 1}.xml`), styles)) }
}

function readSheet(name: string, xml: string, styles: Record<string, string>[]): Workbook['sheets'][number] {
  const rows = new Map<number, Map<string, SheetCell>>()
  let row = new Map<string, SheetCell>()
  let cell: SheetCell | undefined
  let at = ''
  let text: string | undefined
  let pane: string | undefined
  let filter: string | undefined
  walk(xml, {
    open: (tag, attributes) => {
      if (tag === 'row') {
        row = new Map()
        rows.set(Number(attributes['r']), row)
      }
      if (tag === 'pane') pane = attributes['topLeftCell']
      if (tag === 'autoFilter') filter = attributes['ref']
      if (tag === 'c') {
        at = attributes['r'] ?? ''
        const style = styles[Number(attributes['s'])]
        assert.ok(style, `${at} has a style that is not there`)
        cell = { value: '', type: attributes['t'] === 'inlineStr' ? 'text' : 'number', style, formula: false }
      }
      if (tag === 'f' && cell) cell.formula = true
      if (tag === 'v' || tag === 't') text = ''
    },
    text: (some) => {
      if (text !== undefined) text += some
    },
    close: (tag) => {
      if ((tag === 'v' || tag === 't') && cell) {
        cell.value = text ?? ''
        text = undefined
      }
      if (tag === 'c' && cell) {
        // What a spreadsheet shows of `_x005F_`.
        if (cell.type === 'text')
          cell.value = cell.value.replace(/_x([0-9A-F]{4})_/gi, (_, hex) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          )
        row.set(at.replace(/\d/g, ''), cell)
      }
    },
  })
  return { name, rows, pane, filter }
}

function walk(
  xml: string,
  on: {
    open?: (name: string, attributes: Record<string, string>) => void
    text?: (text: string) => void
    close?: (name: string) => void
  },
): void {
  const parser = new SaxesParser({ xmlns: false })
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => on.open?.(name, attributes as Record<string, string>))
  parser.on('text', (text) => on.text?.(text))
  parser.on('closetag', ({ name }) => on.close?.(name))
  parser.write(xml).close()
}
