import assert from 'node:assert/strict'
import jsQR from 'jsqr'
import { extractText, getDocumentProxy, getResolvedPDFJS } from 'unpdf'

export interface Printed {
  readonly pages: readonly string[]
  /** Of all pages, white space collapsed. */
  readonly text: string
  readonly size: readonly number[]
  readonly info: Readonly<Record<string, unknown>>
  /** How far texts reach on any page: left, bottom, right, top. What is turned (a watermark) is not counted. */
  readonly extent: readonly [number, number, number, number]
  /** What the codes of each page say, decoded from their drawing. */
  readonly codes: readonly string[]
}

/** Reads a PDF as another program does: its texts, and its QR codes out of the rectangles they are drawn with. */
export async function readPdf(bytes: Uint8Array): Promise<Printed> {
  const document = await getDocumentProxy(new Uint8Array(bytes))
  const { text } = await extractText(document)
  const first = await document.getPage(1)
  const { info } = await document.getMetadata()
  const codes: string[] = []
  const extent: [number, number, number, number] = [612, 792, 0, 0]
  for (let n = 1; n <= document.numPages; n++) {
    const page = await document.getPage(n)
    codes.push(...(await codesOf(page)))
    await reach(page, extent)
  }
  return {
    pages: text,
    text: text.join(' ').replace(/\s+/g, ' '),
    size: first.view.slice(2),
    info: info as Record<string, unknown>,
    codes,
    extent,
  }
}

async function reach(page: Page, extent: [number, number, number, number]): Promise<void> {
  const { items } = await page.getTextContent()
  for (const item of items) {
    if (!('transform' in item) || item.str.trim() === '') continue
    const [, turned, , , x, y] = item.transform as number[]
    if (turned !== 0 || x === undefined || y === undefined) continue
    extent[0] = Math.min(extent[0], x)
    extent[1] = Math.min(extent[1], y)
    extent[2] = Math.max(extent[2], x + item.width)
    extent[3] = Math.max(extent[3], y + item.height)
  }
}

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof getDocumentProxy>>['getPage']>>
type Rectangle = [left: number, top: number, right: number, bottom: number]

async function codesOf(page: Page): Promise<string[]> {
  const { OPS } = await getResolvedPDFJS()
  const { fnArray, argsArray } = await page.getOperatorList()
  const codes: string[] = []
  for (const [n, operator] of fnArray.entries()) {
    if (operator !== OPS.constructPath) continue
    const rectangles = rectanglesOf(argsArray[n])
    if (rectangles.length < 100) continue
    const code = decode(rectangles)
    assert.ok(code, 'a code that nobody can read')
    codes.push(code)
  }
  return codes
}

/** A path of pdf.js: 0 x y moves, 1 x y draws a line, 4 closes. */
function rectanglesOf([, [path]]: [number, [ArrayLike<number> | null]]): Rectangle[] {
  const rectangles: Rectangle[] = []
  let points: [number, number][] = []
  const all = Array.from(path ?? [])
  for (let i = 0; i < all.length; ) {
    const operation = all[i]
    if (operation === 4) {
      const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
      rectangles.push([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)])
      i += 1
      continue
    }
    if (operation === 0) points = []
    if (operation !== 0 && operation !== 1) return []
    points.push([all[i + 1] as number, all[i + 2] as number])
    i += 3
  }
  return rectangles
}

function decode(rectangles: readonly Rectangle[]): string | undefined {
  const left = Math.min(...rectangles.map(([x]) => x))
  const top = Math.min(...rectangles.map(([, y]) => y))
  const side = Math.max(...rectangles.map(([, , right]) => right)) - left
  const [scale, quiet] = [600 / side, 40]
  const pixels = 600 + 2 * quiet
  const picture = new Uint8ClampedArray(pixels * pixels * 4).fill(255)
  for (const [x0, y0, x1, y1] of rectangles)
    for (let y = Math.round((y0 - top) * scale); y < Math.round((y1 - top) * scale); y++)
      for (let x = Math.round((x0 - left) * scale); x < Math.round((x1 - left) * scale); x++)
        picture.fill(0, ((y + quiet) * pixels + x + quiet) * 4, ((y + quiet) * pixels + x + quiet) * 4 + 3)
  return read(picture, pixels, pixels)?.data
}

// CommonJS with its default under `default`, whatever the types say.
const read = (jsQR as unknown as { default?: typeof jsQR.default }).default ?? (jsQR as unknown as typeof jsQR.default)
