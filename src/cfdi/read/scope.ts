export const XML = 'http://www.w3.org/XML/1998/namespace'
const XMLNS = 'http://www.w3.org/2000/xmlns/'

/** What prefixes mean where we are. The default namespace is that of the empty prefix. */
export class Scope {
  readonly #meaning = new Map<string, string>()
  /** What open elements have declared, innermost last, and what it meant outside of them. */
  readonly #declared: { depth: number; prefix: string; before: string | undefined }[] = []
  /** What was asked for last: one prefix is asked for again and again. */
  #last = 'xml'
  #found: string | undefined = XML

  find(prefix: string): string | undefined {
    if (prefix === this.#last) return this.#found
    this.#last = prefix
    this.#found = prefix === 'xml' ? XML : this.#meaning.get(prefix)
    return this.#found
  }

  /** What is wrong with the declaration, if anything. */
  declare(depth: number, prefix: string, namespace: string): string | undefined {
    const uri = namespace.trim()
    if (uri === '' && prefix !== '') return `el prefijo ${prefix} se declara vacío`
    if (prefix === 'xmlns' || uri === XMLNS || (prefix === 'xml') !== (uri === XML))
      return `el prefijo ${prefix} no puede declararse así`
    this.#declared.push({ depth, prefix, before: this.#meaning.get(prefix) })
    this.#meaning.set(prefix, namespace)
    this.#forgetLast()
    return undefined
  }

  /** Forgets what the element at this depth declared. */
  leave(depth: number): void {
    const declared = this.#declared
    while (declared.length > 0) {
      const last = declared[declared.length - 1]!
      if (last.depth !== depth) return
      declared.pop()
      if (last.before === undefined) this.#meaning.delete(last.prefix)
      else this.#meaning.set(last.prefix, last.before)
      this.#forgetLast()
    }
  }

  #forgetLast(): void {
    this.#last = 'xml'
    this.#found = XML
  }
}
