import { tooDeep, tooManyAttributes, tooManyElements } from '../errors.ts'
import { Element } from './element.ts'
import {
  closingQuote,
  endsName,
  endsPlain,
  fail,
  firstOf,
  isName,
  NAME,
  NAME_START,
  PLAIN,
  PLAIN_ASCII,
  SPACE,
  skipDeclaration,
  skipInstruction,
  skipSpace,
  skipText,
  skipXmlDeclaration,
  unexpected,
} from './scan.ts'
import { Scope } from './scope.ts'
import { hashed, intern, WORDS, wordAt } from './words.ts'

export interface Limits {
  readonly depth: number
  readonly addendaDepth: number
  readonly attributes: number
  readonly elements: number
}

/**
 * Reads the elements of an XML document out of its bytes, which are valid UTF-8. One walk over them: every byte is looked
 * at once, a text is made only of what somebody may read, and names are found without making one.
 */
export class Tokens {
  readonly #limits: Limits
  readonly #bytes: Bytes
  /** The same bytes, four at a time. */
  readonly #view: DataView
  readonly #end: number
  /** The bytes as characters one by one: wherever all of them are ASCII, the text itself. */
  readonly #text: string
  readonly #scope = new Scope()
  /** Names and values of the attributes of all elements, in turn, those of one after those of another. */
  readonly #attributes: string[] = []
  readonly #open: Element[] = []
  #root: Element | undefined
  #rootEnd = 0
  #depth = 0
  #elements = 0
  /** Depth of the addenda we are in, 0 when outside. */
  #addenda = 0

  // Of the name that was read last: where its colon is or −1, and a hash of all of it.
  #colon = -1
  #colons = 0
  #nameHash = 0
  #nameIsAscii = true

  // Attributes with a prefix of the tag that is being read: their meaning is only known when all of it has been.
  readonly #prefixed: { prefix: string; local: string; at: number }[] = []

  constructor(source: Uint8Array, limits: Limits) {
    this.#limits = limits
    this.#end = source.length
    this.#bytes = withZero(source)
    this.#view = this.#bytes === SCRATCH ? SCRATCH_VIEW : viewOf(this.#bytes)
    this.#text = this.#bytes.latin1Slice(0, this.#end)
  }

  /** The root, or undefined when there is nothing but spaces. */
  read(): Element | undefined {
    const bytes = this.#bytes
    const end = this.#end
    let at = skipXmlDeclaration(bytes, this.#text)
    for (;;) {
      while (SPACE[bytes[at]!] === 1) at++
      if (bytes[at] !== 0x3c) {
        if (this.#depth === 0 && at >= end) return this.#root
        at = this.#readText(at)
      }
      const next = bytes[at + 1]!
      if (next === 0x2f) at = this.#closeTag(at + 2)
      else if (next === 0x21) at = skipDeclaration(bytes, at, end, this.#depth > 0)
      else if (next === 0x3f) at = skipInstruction(bytes, at, end)
      else at = this.#openTag(at + 1)
    }
  }

  /** Where the root has ended, once it has: what is behind it is no part of the document. */
  get rootEnd(): number | undefined {
    return this.#root && this.#depth === 0 ? this.#rootEnd : undefined
  }

  /** The addenda that is open: where it began and its name as latin1. Where reading failed, it failed inside of it. */
  get addenda(): { from: number; name: string } | undefined {
    if (this.#addenda === 0) return undefined
    const from = OPEN_SPANS[2 * this.#addenda]!
    return { from: from - 1, name: this.#text.slice(from, OPEN_SPANS[2 * this.#addenda + 1]) }
  }

  #readText(from: number): number {
    const bytes = this.#bytes
    if (this.#depth === 0) {
      if (bytes[from]! < 0x20) unexpected(bytes, from, this.#end)
      fail(bytes, from, 'hay texto fuera del comprobante')
    }
    const at = skipText(bytes, from, this.#end)
    if (at >= this.#end) fail(bytes, at, `está cortado o mal cerrado el elemento ${this.#openName()}`)
    return at
  }

  #openTag(from: number): number {
    const bytes = this.#bytes
    const limits = this.#limits
    if (this.#depth === 0 && this.#root) fail(bytes, from, 'hay más de un elemento raíz')
    if (++this.#elements > limits.elements) throw tooManyElements(limits.elements)
    const deepest = this.#addenda > 0 ? limits.addendaDepth : limits.depth
    if (++this.#depth > deepest) throw tooDeep(deepest)
    const nameEnd = this.#readName(from)
    OPEN_SPANS[2 * this.#depth] = from
    OPEN_SPANS[2 * this.#depth + 1] = nameEnd
    const at = this.#addenda > 0 ? this.#readTail(nameEnd) : this.#readElement(from, nameEnd)
    if (bytes[at] === 0x3e) return at + 1
    return this.#close(at + 2)
  }

  /** What follows the name of an element of the addenda: looked at, not kept. */
  #readTail(from: number): number {
    this.#checkName(OPEN_SPANS[2 * this.#depth]!, from)
    return this.#readAttributes(from, false)
  }

  #readElement(from: number, nameEnd: number): number {
    const bytes = this.#bytes
    const prefix = this.#prefixOf(from)
    const name = this.#localOf(from, nameEnd)
    const first = this.#attributes.length
    const at = this.#readAttributes(nameEnd, true)
    if (this.#prefixed.length > 0) this.#checkPrefixed()
    const namespace = this.#scope.find(prefix)
    if (namespace === undefined && prefix !== '') this.#undeclared(prefix, from)
    if (prefix === 'xmlns') fail(bytes, from, 'un elemento no puede llevar el prefijo xmlns')
    const element = new Element(namespace ?? '', name, this.#attributes, first)
    const open = this.#open
    if (open.length > 0) open[open.length - 1]!.add(element)
    else this.#root = element
    open.push(element)
    if (this.#depth === 2 && name === 'Addenda' && element.namespace === this.#root?.namespace) this.#addenda = 2
    return at
  }

  /** To the `>` or `/>` that ends the tag. */
  #readAttributes(from: number, keep: boolean): number {
    const bytes = this.#bytes
    const view = this.#view
    const end = this.#end
    let at = from
    // Names that leave their mark where there is none of this tag need not be compared with those before.
    tag = (tag + 1) | 0
    if (tag === 0) WORD_MARKS.fill(tag++)
    let others = 0
    for (let count = 0; ; count++) {
      let byte = bytes[at]!
      if (SPACE[byte] === 1) {
        do byte = bytes[++at]!
        while (SPACE[byte] === 1)
        if (byte !== 0x3e && byte !== 0x2f && NAME_START[byte] === 0) unexpected(bytes, at, end)
      } else if (byte !== 0x3e && byte !== 0x2f) unexpected(bytes, at, end)
      if (byte === 0x3e) return at
      if (byte === 0x2f) {
        if (bytes[at + 1] !== 0x3e) unexpected(bytes, at + 1, end)
        return at
      }
      if (count === this.#limits.attributes) throw tooManyAttributes(count)

      // Almost all names are words that we know, which have neither a prefix nor letters beyond ASCII; the others are
      // read once more, letter by letter.
      const start = at
      let ends = endsName(view.getInt32(at, true))
      while (ends === 0) {
        at += 4
        ends = endsName(view.getInt32(at, true))
      }
      at += firstOf(ends)
      const word = bytes[at]! < 0x80 ? wordAt(view, start, at) : 0
      if (word === 0) at = this.#readAttributeName(start, others++)
      else {
        if (WORD_MARKS[word] === tag) this.#refuse(start, at)
        WORD_MARKS[word] = tag
      }
      const nameEnd = at

      if (bytes[at] !== 0x3d) at = skipSpace(bytes, at)
      if (bytes[at] !== 0x3d) unexpected(bytes, at, end)
      let quote = bytes[++at]!
      if (SPACE[quote] === 1) {
        at = skipSpace(bytes, at)
        quote = bytes[at]!
      }
      if (quote !== 0x22 && quote !== 0x27) unexpected(bytes, at, end)

      const first = ++at
      // Four at a time as far as all is plain ASCII, which is most of a CFDI: a certificate alone is half of one.
      let odd = endsPlain(view.getInt32(at, true))
      while (odd === 0) {
        at += 4
        odd = endsPlain(view.getInt32(at, true))
      }
      at += firstOf(odd)
      while (PLAIN_ASCII[bytes[at]!] === 1) at++
      const ascii = bytes[at] === quote
      if (!ascii) while (PLAIN[bytes[at]!] === 1) at++
      const plain = bytes[at] === quote
      if (!plain) at = closingQuote(bytes, at, end, quote)
      if (keep) {
        const value = ascii ? this.#text.slice(first, at) : this.#valueOf(first, at, plain)
        if (word === 0) this.#keepUnusual(start, nameEnd, value)
        else if (word === XMLNS) this.#declare('', value, start)
        else this.#attributes.push(WORDS[word]!, value)
      } else if (word === 0) this.#checkName(start, nameEnd)
      at++
    }
  }

  /** To the end of a name that is none of our words as it is written; refuses it when it has been in this tag before. */
  #readAttributeName(start: number, count: number): number {
    const nameEnd = this.#readName(start)
    const hash = this.#nameHash
    if (MARKS[hash & 511] === tag) this.#refuseRepeated(start, nameEnd, hash, count)
    MARKS[hash & 511] = tag
    TAG_HASHES[count] = hash
    TAG_SPANS[2 * count] = start
    TAG_SPANS[2 * count + 1] = nameEnd
    return nameEnd
  }

  /** A value with letters beyond ASCII or, when it is not `plain`, with references and line ends. */
  #valueOf(first: number, end: number, plain: boolean): string {
    const text = this.#bytes.utf8Slice(first, end)
    return plain ? text : resolved(text)
  }

  /** An attribute whose name has a prefix or letters beyond ASCII: the name is still the one that was read last. */
  #keepUnusual(start: number, nameEnd: number, value: string): void {
    const prefix = this.#prefixOf(start)
    const local = this.#localOf(start, nameEnd)
    if (prefix === 'xmlns') this.#declare(local, value, start)
    else if (prefix !== '') this.#prefixed.push({ prefix, local, at: start })
    else this.#attributes.push(local, value)
  }

  #declare(prefix: string, value: string, at: number): void {
    const problem = this.#scope.declare(this.#depth, prefix, intern(value))
    if (problem !== undefined) fail(this.#bytes, at, problem)
  }

  /** The same name twice in a tag, as it is written. */
  #refuseRepeated(start: number, nameEnd: number, hash: number, count: number): void {
    const bytes = this.#bytes
    for (let i = 0; i < count; i++) {
      if (TAG_HASHES[i] !== hash) continue
      const other = TAG_SPANS[2 * i]!
      if (TAG_SPANS[2 * i + 1]! - other !== nameEnd - start) continue
      let same = 0
      while (same < nameEnd - start && bytes[other + same] === bytes[start + same]) same++
      if (same === nameEnd - start) this.#refuse(start, nameEnd)
    }
  }

  #refuse(start: number, nameEnd: number): never {
    return fail(this.#bytes, start, `hay un atributo repetido: ${this.#written(start, nameEnd)}`)
  }

  /** Attributes with prefixes: declared, and no two of them the same by what their prefixes mean. */
  #checkPrefixed(): void {
    const prefixed = this.#prefixed
    const one = prefixed[0]!.prefix
    // Under one prefix the same name twice has been seen already, as it is written.
    const names = prefixed.every(({ prefix }) => prefix === one) ? undefined : new Map<string, Set<string>>()
    for (const { prefix, local, at } of prefixed) {
      const namespace = this.#scope.find(prefix)
      if (namespace === undefined) this.#undeclared(prefix, at)
      if (!names) continue
      const before = names.get(namespace) ?? new Set()
      if (before.has(local)) fail(this.#bytes, at, `hay un atributo repetido: ${local}`)
      names.set(namespace, before.add(local))
    }
    while (prefixed.length > 0) prefixed.pop()
  }

  #undeclared(prefix: string, at: number): never {
    return fail(this.#bytes, at, `el prefijo ${prefix} no está declarado`)
  }

  #closeTag(from: number): number {
    const bytes = this.#bytes
    const start = OPEN_SPANS[2 * this.#depth]!
    const length = this.#depth > 0 ? OPEN_SPANS[2 * this.#depth + 1]! - start : 0
    let same = 0
    while (same < length && bytes[from + same] === bytes[start + same]) same++
    let at = from + same
    if (same < length || length === 0 || NAME[bytes[at]!] !== 0) this.#badClose(from)
    if (bytes[at] !== 0x3e) at = skipSpace(bytes, at)
    if (bytes[at] !== 0x3e) unexpected(bytes, at, this.#end)
    return this.#close(at + 1)
  }

  #badClose(from: number): never {
    let at = from
    while (NAME[this.#bytes[at]!] !== 0) at++
    if (at >= this.#end) fail(this.#bytes, at, 'está cortado')
    return fail(this.#bytes, from, `se cierra un elemento que no estaba abierto: ${this.#written(from, at)}`)
  }

  #close(end: number): number {
    if (this.#addenda === 0 || this.#depth === this.#addenda) {
      this.#scope.leave(this.#depth)
      this.#open.pop()
      this.#addenda = 0
    }
    this.#depth -= 1
    if (this.#depth === 0) this.#rootEnd = end
    return end
  }

  /** To the end of the name that begins here; its parts are left in the fields. */
  #readName(from: number): number {
    const bytes = this.#bytes
    if (NAME_START[bytes[from]!] === 0) unexpected(bytes, from, this.#end)
    let at = from
    let hash = 0
    let seen = 0
    this.#colon = -1
    this.#colons = 0
    for (;;) {
      const byte = bytes[at]!
      if (NAME[byte] === 0) break
      hash = hashed(hash, byte)
      if (byte === 0x3a) {
        this.#colons += 1
        this.#colon = at
      }
      seen |= byte
      at++
    }
    this.#nameHash = hash
    this.#nameIsAscii = seen < 0x80
    return at
  }

  #prefixOf(start: number): string {
    const colon = this.#colon
    if (colon < 0) return ''
    const known = wordAt(this.#view, start, colon)
    if (known !== 0 && this.#colons === 1) return WORDS[known]!
    const text = this.#nameIsAscii ? this.#text.slice(start, colon) : this.#written(start, colon)
    if (this.#colons > 1 || !isName(text)) this.#badName(start)
    return intern(text)
  }

  #localOf(start: number, nameEnd: number): string {
    const from = this.#colon < 0 ? start : this.#colon + 1
    const known = wordAt(this.#view, from, nameEnd)
    if (known !== 0 && this.#colons <= 1) return WORDS[known]!
    const text = this.#nameIsAscii ? this.#text.slice(from, nameEnd) : this.#written(from, nameEnd)
    if (this.#colons > 1 || !isName(text)) this.#badName(start)
    return intern(text)
  }

  /** A name of the addenda, where prefixes mean nothing and colons are letters. */
  #checkName(start: number, nameEnd: number): void {
    if (this.#nameIsAscii) return
    if (!isName(this.#written(start, nameEnd).replaceAll(':', '_'))) this.#badName(start)
  }

  #badName(start: number): never {
    let end = start
    while (NAME[this.#bytes[end]!] !== 0) end++
    return fail(this.#bytes, start, `el nombre ${this.#written(start, end)} no es válido`)
  }

  #openName(): string {
    return this.#depth > 0 ? this.#written(OPEN_SPANS[2 * this.#depth]!, OPEN_SPANS[2 * this.#depth + 1]!) : ''
  }

  #written(from: number, to: number): string {
    return this.#bytes.utf8Slice(from, to)
  }
}

/** A value with its references resolved and its line ends made spaces, as XML has it. A `&#10;` stays a line end. */
function resolved(raw: string): string {
  const spaced = raw.replace(/\r\n|[\t\n\r]/g, ' ')
  if (!spaced.includes('&')) return spaced
  return spaced.replace(/&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));/g, (_, hex, decimal, name) =>
    name === undefined ? String.fromCodePoint(Number.parseInt(hex ?? decimal, hex ? 16 : 10)) : ENTITIES[name]!,
  )
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The bytes with zeros behind them. Nothing outside keeps hold of the copy, so that small ones are made in one place. */
function withZero(source: Uint8Array): Bytes {
  const bytes = source.length + ZEROS <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafeSlow(source.length + ZEROS)
  bytes.set(source)
  for (let i = 0; i < ZEROS; i++) bytes[source.length + i] = 0
  return bytes as Bytes
}

/** What `toString` of a buffer calls, without finding out first what it was asked for. Not in the types of Node. */
type Bytes = Buffer & { latin1Slice(from: number, to: number): string; utf8Slice(from: number, to: number): string }

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** One stops every walk, and seven more let four bytes be read from any of them. */
const ZEROS = 8

/** Where the name of each open element begins and ends, by its depth, for the tag that closes it. */
const OPEN_SPANS = new Int32Array(2 * 2_000)
/** Which tag has last seen a name with such an end of its hash. */
const MARKS = new Int32Array(512)
/** Which tag has last seen each of our words. */
const WORD_MARKS = new Int32Array(WORDS.length)
const XMLNS = WORDS.indexOf('xmlns')
let tag = 0
/** Of the attributes of the tag that is being read: hash of the name, and where it begins and ends. */
const TAG_HASHES = new Int32Array(1_000)
const TAG_SPANS = new Int32Array(2 * 1_000)

const SCRATCH = Buffer.allocUnsafeSlow(262_144)
const SCRATCH_VIEW = viewOf(SCRATCH)
