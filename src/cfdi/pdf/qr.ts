import qrcode from 'qrcode-generator'

/** Draws the code of an ASCII text as a square of `side` points: dark runs of a row as one rectangle each. */
export function drawQr(doc: PDFKit.PDFDocument, text: string, at: { x: number; y: number; side: number }): void {
  // M mends 15 %: a printed page is folded and stained.
  const code = qrcode(0, 'M')
  code.addData(text, 'Byte')
  code.make()
  const modules = code.getModuleCount()
  const step = at.side / modules
  for (let row = 0; row < modules; row++) {
    for (let column = 0; column < modules; column++) {
      if (!code.isDark(row, column)) continue
      let end = column + 1
      while (end < modules && code.isDark(row, end)) end++
      // A little into the next row: some viewers show a hair of paper between rectangles that only touch.
      doc.rect(at.x + column * step, at.y + row * step, (end - column) * step, step * 1.02)
      column = end
    }
  }
  doc.fill('#000000')
}
