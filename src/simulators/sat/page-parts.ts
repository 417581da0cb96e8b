import { type Content, html } from '../../html.ts'

export const options = (values: readonly string[]): Content => values.map((value) => html`<option>${value}</option>`)

/** With headings; without rows, a word that says so. */
export function table(names: readonly string[], rows: readonly (readonly Content[])[]): Content {
  if (rows.length === 0) return html`<p>Ninguno.</p>`
  const cells = (row: readonly Content[]) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`
  return html`<table><thead><tr>${names.map((name) => html`<th>${name}</th>`)}</tr></thead><tbody>${rows.map(cells)}</tbody></table>`
}
