import PDFDocument from 'pdfkit'
import { useFonts } from './fuente.ts'
import { legible } from './legible.ts'

export interface Style {
  readonly size: number
  readonly bold?: boolean
  readonly color?: string
}

export interface Column {
  readonly title: string
  /** Its part of the width; they are shared out in proportion. */
  readonly share: number
  readonly align?: 'left' | 'right'
}

export interface Row {
  readonly cells: readonly (string | null)[]
  /** In small print under the cell of `notesAt`. */
  readonly notes?: readonly string[]
}

/** A place of the page where something is drawn without moving what follows. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
}

export type Hoja = ReturnType<typeof createHoja>

/** Letter, in points. */
export const PAGE = { width: 612, height: 792, margin: 36, footer: 40 }
export const INK = '#1b2430'
export const GREY = '#5b6673'
export const ACCENT = '#17406d'
export const RULE = '#c9d1da'
export const FAINT = '#eef2f6'

const LEFT = PAGE.margin
const WIDTH = PAGE.width - 2 * PAGE.margin
const BOTTOM = PAGE.height - PAGE.footer
const CELL: Style = { size: 7.2 }
const NOTE: Style = { size: 6.2, color: GREY }
const HEAD: Style = { size: 6.6, bold: true, color: ACCENT }
const LABEL: Style = { size: 6, color: GREY }
const VALUE: Style = { size: 7.8 }

/**
 * Letter pages that are written from top to bottom. Every text is drawn line by line by what it measures: a name of a
 * thousand letters takes its lines, a word wider than its place is divided, and nothing is drawn beyond a margin.
 */
export function createHoja({ title, author, created }: { title: string; author: string; created: Date }) {
  const doc = new PDFDocument({
    size: 'LETTER',
    margin: 0,
    bufferPages: true,
    lang: 'es-MX',
    // Nothing of the moment it is made: the same document has the same bytes.
    info: { Title: title, Author: author, Subject: 'Representación impresa de un CFDI', CreationDate: created },
  })
  const fonts = useFonts(doc)
  let y = PAGE.margin

  const clean = (text: string) => legible(text, fonts.regular.has)

  /** Of a text without line breaks. Letters stand by themselves: the fonts move none towards another. */
  function measure(text: string, { size, bold = false }: Style): number {
    const font = bold ? fonts.bold : fonts.regular
    let width = 0
    for (const letter of text) width += font.widthOf(letter)
    return width * size
  }

  /** `most` lines at most: the last says that there is more. */
  function wrap(text: string, width: number, style: Style, most = Number.POSITIVE_INFINITY): string[] {
    const lines: string[] = []
    const blank = measure(' ', style)
    let line = ''
    let used = 0
    for (const word of clean(text).split(' ')) {
      if (word === '') continue
      if (lines.length > most) break
      const needed = measure(word, style)
      if (line !== '' && used + blank + needed <= width) {
        line += ` ${word}`
        used += blank + needed
        continue
      }
      if (line !== '') lines.push(line)
      if (needed <= width) {
        line = word
        used = needed
        continue
      }
      const pieces = divide(word, width, style)
      lines.push(...pieces.slice(0, -1))
      line = pieces.at(-1) ?? ''
      used = measure(line, style)
    }
    if (line !== '') lines.push(line)
    if (lines.length <= most) return lines
    const last = [...(lines[most - 1] ?? '')]
    while (last.length > 0 && measure(`${last.join('')}…`, style) > width) last.pop()
    return [...lines.slice(0, most - 1), `${last.join('')}…`]
  }

  function divide(word: string, width: number, style: Style): string[] {
    const pieces: string[] = []
    let piece = ''
    let used = 0
    for (const letter of word) {
      const needed = measure(letter, style)
      if (piece !== '' && used + needed > width) {
        pieces.push(piece)
        piece = ''
        used = 0
      }
      piece += letter
      used += needed
    }
    return [...pieces, piece]
  }

  function put(line: string, x: number, at: number, style: Style): void {
    doc
      .font(style.bold ? 'bold' : 'regular')
      .fontSize(style.size)
      .fillColor(style.color ?? INK)
      .text(line, x, at, { lineBreak: false })
  }

  function page(): void {
    gather(doc)
    doc.addPage()
    y = PAGE.margin
  }

  /** Begins a page where less than this is left of one. */
  function need(height: number): void {
    if (y + height > BOTTOM) page()
  }

  /** Lines at a place, returns where they end. */
  function block(lines: readonly string[], { x, y: top, width }: Box, style: Style, align = 'left'): number {
    let at = top
    for (const line of lines) {
      put(line, align === 'right' ? x + width - measure(line, style) : x, at, style)
      at += leading(style)
    }
    return at
  }

  function paragraph(text: string, style: Style): void {
    for (const line of wrap(text, WIDTH, style)) {
      need(leading(style))
      put(line, LEFT, y, style)
      y += leading(style)
    }
  }

  function heading(text: string): void {
    need(48)
    y += 6
    doc.rect(LEFT, y, WIDTH, 13).fill(FAINT)
    put(clean(text), LEFT + 4, y + 1.6, { size: 7.2, bold: true, color: ACCENT })
    y += 16
  }

  /** What has a value, each under its name, in columns. */
  function pairs(all: readonly (readonly [label: string, value: string | null | undefined])[], columns = 4): void {
    const some = all.filter(
      (pair): pair is [string, string] => pair[1] !== null && pair[1] !== undefined && pair[1] !== '',
    )
    const width = WIDTH / columns
    for (let n = 0; n < some.length; n += columns) {
      const row = some.slice(n, n + columns).map(([label, value]) => ({
        label,
        lines: wrap(value, width - 8, VALUE, 12),
      }))
      const height = leading(LABEL) + Math.max(...row.map(({ lines }) => lines.length)) * leading(VALUE) + 3
      need(height)
      for (const [column, { label, lines }] of row.entries()) {
        const x = LEFT + 4 + column * width
        put(label, x, y, LABEL)
        block(lines, { x, y: y + leading(LABEL), width }, VALUE)
      }
      y += height
    }
  }

  /** Its header stands again on every page. A row is kept together where it fits, and goes on over pages where not. */
  function table(columns: readonly Column[], rows: Iterable<Row>, { notesAt = 0 } = {}): void {
    const whole = columns.reduce((sum, { share }) => sum + share, 0)
    let x = LEFT
    const places = columns.map(({ title, share, align = 'left' }) => {
      const width = (share / whole) * WIDTH
      const place = { title, align, x: x + 3, width: width - 6 }
      x += width
      return place
    })
    const header = () => {
      const titles = places.map(({ title, width }) => wrap(title, width, HEAD))
      const height = Math.max(...titles.map((lines) => lines.length)) * leading(HEAD) + 5
      doc.rect(LEFT, y, WIDTH, height).fill(FAINT)
      for (const [n, place] of places.entries()) block(titles[n] ?? [], { ...place, y: y + 2 }, HEAD, place.align)
      y += height + 2
    }
    need(50)
    header()
    for (const { cells, notes = [] } of rows) {
      const lines = places.map(({ width }, n) => {
        const own = wrap(cells[n] ?? '', width, CELL).map((text) => ({ text, style: CELL }))
        if (n === notesAt)
          for (const note of notes) own.push(...wrap(note, width, NOTE).map((text) => ({ text, style: NOTE })))
        return own
      })
      const count = Math.max(...lines.map((own) => own.length))
      const height = count * leading(CELL) + 3
      if (y + Math.min(height, (BOTTOM - PAGE.margin) / 2) > BOTTOM) {
        page()
        header()
      }
      for (let n = 0; n < count; n++) {
        if (y + leading(CELL) > BOTTOM) {
          page()
          header()
        }
        for (const [column, place] of places.entries()) {
          const line = lines[column]?.[n]
          if (!line) continue
          const at = place.align === 'right' ? place.x + place.width - measure(line.text, line.style) : place.x
          put(line.text, at, y, line.style)
        }
        y += leading(CELL)
      }
      y += 1
      doc
        .moveTo(LEFT, y)
        .lineTo(LEFT + WIDTH, y)
        .lineWidth(0.4)
        .strokeColor(RULE)
        .stroke()
      y += 2
    }
  }

  return {
    doc,
    left: LEFT,
    width: WIDTH,
    get y() {
      return y
    },
    set y(to: number) {
      y = to
    },
    clean,
    measure,
    wrap,
    put,
    need,
    block,
    paragraph,
    heading,
    pairs,
    table,
    page,
  }
}

/** From one line to the next. */
export const leading = ({ size }: Style): number => size * 1.26

/** What was drawn is kept as thousands of small pieces until the end, when the pages are counted: as one it is a tenth. */
function gather({ page }: PDFKit.PDFDocument): void {
  const { content } = page as unknown as { content: { buffer: Uint8Array[] } }
  content.buffer = [Buffer.concat(content.buffer)]
}
