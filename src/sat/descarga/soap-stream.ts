/** What an answer says besides its package. */
export interface Sobre {
  /** Verbatim. */
  codigo: string
  mensaje: string
}

export interface SoapStream {
  /** @throws NotSoap, BadSoap, or what `onPackage` throws */
  push(bytes: Buffer): void
  /** @throws NotSoap, CutSoap, BadSoap, SoapFault: what came was no whole answer */
  end(): Sobre
}

/** A page, a word, nothing: whatever it is, the service did not write it. */
export class NotSoap extends Error {}

/** It begins as an answer and does not end. */
export class CutSoap extends Error {}

/** A whole message, and none that the service would write. */
export class BadSoap extends Error {}

/** The message says that there is no answer. */
export class SoapFault extends Error {}

/**
 * Reads an answer of Descargar as it comes: `onPackage` gets the text of its one `Paquete`, in pieces as they arrive; of
 * everything else only the code and its words are kept. Names are compared without prefix and case.
 *
 * Not a reader of XML, only of these envelopes: it holds no more than one tag, refuses every DOCTYPE, and takes nothing for
 * an answer that was not closed.
 */
export function createSoapStream(onPackage: (text: Buffer) => void): SoapStream {
  let mode: 'text' | 'markup' | 'cdata' = 'text'
  let markup = ''
  let quote = ''
  /** Of the mark of UTF-8, which may be the first bytes. */
  let mark = 0
  const open: string[] = []
  let hasRoot = false
  let inPackage = false
  let hasPackage = false
  let outside = 0
  let fault: string | undefined
  let found: Sobre | undefined

  return {
    push(bytes) {
      let at = 0
      for (; mark < 3 && at < bytes.length && bytes[at] === MARK[mark]; at++) mark++
      if (at < bytes.length) mark = 3
      while (at < bytes.length)
        at = mode === 'text' ? takeText(bytes, at) : mode === 'cdata' ? takeCdata(bytes, at) : takeMarkup(bytes, at)
    },
    end() {
      if (!hasRoot) throw new NotSoap(mode === 'text' ? 'nothing at all' : 'the beginning of a tag')
      if (open.length > 0 || mode !== 'text') throw new CutSoap(`it ends inside of ${open.at(-1) ?? 'a tag'}`)
      if (fault !== undefined) throw new SoapFault(fault.replace(/\s+/g, ' ').trim())
      if (!found) throw new BadSoap('no CodEstatus in it')
      return found
    },
  }

  function takeText(bytes: Buffer, at: number): number {
    const next = bytes.indexOf(LESS, at)
    const end = next === -1 ? bytes.length : next
    if (end > at) onText(bytes.subarray(at, end))
    if (next === -1) return end
    mode = 'markup'
    markup = '<'
    quote = ''
    return next + 1
  }

  function onText(text: Buffer): void {
    if (inPackage) {
      onPackage(text)
      return
    }
    count(text.length)
    if (fault !== undefined && fault.length < LONGEST_FAULT) fault += text.toString('utf8', 0, LONGEST_FAULT)
    if (open.length > 0) return
    if (text.toString('latin1').trim() === '') return
    throw hasRoot ? new BadSoap('something after its end') : new NotSoap('text')
  }

  /** `markup` is what may be the beginning of its end. */
  function takeCdata(bytes: Buffer, at: number): number {
    if (markup === '') {
      const next = bytes.indexOf(BRACKET, at)
      const end = next === -1 ? bytes.length : next
      if (end > at) onText(bytes.subarray(at, end))
      if (next !== -1) markup = ']'
      return next === -1 ? end : next + 1
    }
    if (bytes[at] === BRACKET && markup === ']') markup = ']]'
    else if (bytes[at] === GREATER && markup === ']]') mode = 'text'
    else {
      onText(Buffer.from(markup))
      markup = ''
      return at
    }
    return at + 1
  }

  function takeMarkup(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const char = String.fromCharCode(bytes[at] ?? 0)
      markup += char
      if (markup.length > LONGEST_TAG)
        throw hasRoot ? new BadSoap('a tag without end') : new NotSoap('a tag without end')
      if (markup === CDATA) {
        if (open.length === 0) throw new BadSoap('CDATA outside of the envelope')
        mode = 'cdata'
        markup = ''
        return at + 1
      }
      if (!ends(char)) continue
      count(markup.length)
      mode = 'text'
      onMarkup(markup)
      return at + 1
    }
    return bytes.length
  }

  /** Whether `markup` is whole with this character. */
  function ends(char: string): boolean {
    if (markup.startsWith('<!--')) return char === '>' && markup.length >= 7 && markup.endsWith('-->')
    if (markup.startsWith('<?')) return char === '>' && markup.endsWith('?>')
    if (markup.startsWith('<!')) return char === '>'
    if (quote !== '') {
      if (char === quote) quote = ''
      return false
    }
    if (char === '"' || char === "'") quote = char
    return char === '>'
  }

  function onMarkup(text: string): void {
    if (text.startsWith('<!--') || text.startsWith('<?')) return
    if (text.startsWith('<!')) throw /^<!doctype\s+html/i.test(text) ? new NotSoap('a page') : new BadSoap('a DOCTYPE')
    const tag = readTag(Buffer.from(text, 'latin1').toString('utf8'))
    if (!tag) throw hasRoot ? new BadSoap('a tag that is none') : new NotSoap('a tag that is none')
    if (tag.closes) close(tag.name)
    else start(tag)
  }

  function start({ name, attributes, isEmpty }: Tag): void {
    const local = localName(name)
    if (open.length === 0) {
      if (hasRoot) throw new BadSoap('two documents')
      if (local !== 'envelope') throw new NotSoap(local === 'html' ? 'a page' : `its root is ${name.slice(0, 40)}`)
      hasRoot = true
    }
    if (inPackage) throw new BadSoap('an element inside of Paquete')
    if (open.length >= MOST_LEVELS) throw new BadSoap('too deep')
    const codigo = attributes.get('codestatus')
    if (codigo !== undefined) {
      if (found) throw new BadSoap('two codes')
      found = { codigo: codigo.trim().slice(0, 40), mensaje: (attributes.get('mensaje') ?? '').trim().slice(0, 1_000) }
    }
    if (local === 'fault') fault ??= ''
    if (local === 'paquete') {
      if (hasPackage) throw new BadSoap('two packages')
      hasPackage = true
      inPackage = !isEmpty
    }
    if (!isEmpty) open.push(name)
  }

  function close(name: string): void {
    if (open.pop() !== name) throw new BadSoap(`${name.slice(0, 40)} closes what is not open`)
    if (localName(name) === 'paquete') inPackage = false
  }

  function count(bytes: number): void {
    outside += bytes
    if (outside > MOST_OUTSIDE) throw hasRoot ? new BadSoap('too much besides its package') : new NotSoap('too much')
  }
}

const LESS = 0x3c
const GREATER = 0x3e
const BRACKET = 0x5d
const CDATA = '<![CDATA['
const MARK = [0xef, 0xbb, 0xbf]
const LONGEST_TAG = 8 * 1024
const LONGEST_FAULT = 300
const MOST_LEVELS = 32
const MOST_OUTSIDE = 1024 ** 2

interface Tag {
  name: string
  closes: boolean
  isEmpty: boolean
  /** By local name in lower case. */
  attributes: ReadonlyMap<string, string>
}

function readTag(text: string): Tag | undefined {
  const closing = /^<\/([A-Za-z_][\w.:-]*)\s*>$/.exec(text)
  if (closing?.[1]) return { name: closing[1], closes: true, isEmpty: false, attributes: NONE }
  const name = /^<([A-Za-z_][\w.:-]*)/.exec(text)?.[1]
  if (name === undefined) return undefined
  const isEmpty = text.endsWith('/>')
  const end = text.length - (isEmpty ? 2 : 1)
  const attributes = new Map<string, string>()
  let at = name.length + 1
  for (;;) {
    ATTRIBUTE.lastIndex = at
    const match = ATTRIBUTE.exec(text)
    if (!match) break
    const [whole, key = '', value = ''] = match
    if (attributes.has(key)) return undefined
    attributes.set(key, decoded(value.slice(1, -1)))
    at += whole.length
  }
  if (text.slice(at, end).trim() !== '') return undefined
  return { name, closes: false, isEmpty, attributes: byLocalName(attributes) }
}

const NONE: ReadonlyMap<string, string> = new Map()

const ATTRIBUTE = /\s+([A-Za-z_][\w.:-]*)\s*=\s*("[^"<]*"|'[^'<]*')/y

const byLocalName = (attributes: ReadonlyMap<string, string>) =>
  new Map([...attributes].filter(([name]) => !/^xmlns\b/i.test(name)).map(([name, value]) => [localName(name), value]))

const localName = (name: string): string => name.slice(name.indexOf(':') + 1).toLowerCase()

const decoded = (text: string): string =>
  text.replace(/&(?:#(x[\da-f]{1,6}|\d{1,7})|(amp|lt|gt|quot|apos));/gi, (whole, number?: string, word?: string) => {
    if (word !== undefined) return WORDS.get(word.toLowerCase()) ?? whole
    const code = number?.match(/^x/i) ? Number.parseInt(number.slice(1), 16) : Number.parseInt(number ?? '', 10)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })

const WORDS = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])
