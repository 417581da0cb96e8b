import type { XmlElement } from './xml.ts'

/** An element as the tokenizer makes it: its attributes lie with those of the whole document, in two long rows. */
export class Element implements XmlElement {
  readonly namespace: string
  readonly name: string
  children: XmlElement[] = NONE
  readonly #names: readonly string[]
  readonly #values: readonly string[]
  readonly #first: number
  readonly #end: number

  constructor(namespace: string, name: string, names: readonly string[], values: readonly string[], first: number) {
    this.namespace = namespace
    this.name = name
    this.#names = names
    this.#values = values
    this.#first = first
    this.#end = names.length
  }

  get(attribute: string): string | undefined {
    const names = this.#names
    for (let i = this.#first; i < this.#end; i++) if (names[i] === attribute) return this.#values[i]
    return undefined
  }

  get attributes(): Record<string, string> {
    const attributes: Record<string, string> = Object.create(null)
    for (let i = this.#first; i < this.#end; i++) attributes[this.#names[i]!] = this.#values[i]!
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
