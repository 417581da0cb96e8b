import type { XmlElement } from './xml.ts'

/** An element as the tokenizer makes it: its attributes lie with those of the whole document, in one long row. */
export class Element implements XmlElement {
  readonly namespace: string
  readonly name: string
  children: XmlElement[] = NONE
  /** Names and values in turn. */
  readonly #row: readonly string[]
  readonly #first: number
  readonly #end: number

  constructor(namespace: string, name: string, row: readonly string[], first: number) {
    this.namespace = namespace
    this.name = name
    this.#row = row
    this.#first = first
    this.#end = row.length
  }

  get(attribute: string): string | undefined {
    const row = this.#row
    for (let i = this.#first; i < this.#end; i += 2) if (row[i] === attribute) return row[i + 1]
    return undefined
  }

  get attributes(): Record<string, string> {
    const attributes: Record<string, string> = Object.create(null)
    for (let i = this.#first; i < this.#end; i += 2) attributes[this.#row[i]!] = this.#row[i + 1]!
    return attributes
  }

  add(child: XmlElement): void {
    if (this.children === NONE) this.children = [child]
    else this.children.push(child)
  }
}

// Most elements have no children: one empty row does for all of them.
const NONE: XmlElement[] = []
Object.freeze(NONE)
