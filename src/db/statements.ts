/** One SQL statement of a file: its text without the closing semicolon, and the line (from 1) where it begins. */
export interface Statement {
  text: string
  line: number
}

/**
 * Cuts SQL into its statements. A semicolon inside quotes, dollar quotes, comments, parentheses (`create rule … do
 * (a; b)`) or a `begin atomic` body does not end one. Comments between statements belong to none.
 *
 * Follows PostgreSQL's own lexer (psqlscan.l) with `standard_conforming_strings` on.
 * @throws UnterminatedSql when a quote, comment, parenthesis or body is still open at the end.
 */
export function splitStatements(sql: string): Statement[] {
  const statements: Statement[] = []
  let start = -1 // of the statement being read; -1 between statements
  let parentheses: number[] = []
  let body = { words: [] as string[], depth: 0, begin: 0 }
  const close = (end: number) => {
    if (start >= 0) statements.push({ text: sql.slice(start, end).trimEnd(), line: lineAt(sql, start) })
    start = -1
    parentheses = []
    body = { words: [], depth: 0, begin: 0 }
  }
  let at = 0
  while (at < sql.length) {
    const token = readToken(sql, at)
    if (token.open) throw new UnterminatedSql(token.open, lineAt(sql, at))
    if (token.kind === 'blank') {
      at = token.end
      continue
    }
    if (token.kind === 'semicolon' && parentheses.length === 0 && body.depth === 0) close(at)
    else if (start < 0) start = at
    if (token.kind === 'other') {
      if (sql[at] === '(') parentheses.push(at)
      if (sql[at] === ')') parentheses.pop()
    }
    if (token.kind === 'word' && parentheses.length === 0) enterWord(body, sql.slice(at, token.end).toLowerCase(), at)
    at = token.end
  }
  const open = parentheses[0] ?? (body.depth > 0 ? body.begin : undefined)
  if (open !== undefined)
    throw new UnterminatedSql(sql[open] === '(' ? 'parenthesis' : 'begin atomic', lineAt(sql, open))
  close(sql.length)
  return statements
}

export class UnterminatedSql extends Error {
  readonly line: number
  constructor(what: string, line: number) {
    super(`${what} that begins on line ${line} is never closed`)
    this.name = 'UnterminatedSql'
    this.line = line
  }
}

/** The line (from 1) of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

interface Token {
  kind: 'blank' | 'word' | 'literal' | 'semicolon' | 'other'
  end: number
  /** What is not closed when the text ends inside it. */
  open?: string
}

// Sticky, so that each is tried at one place only. Unrolled, so that a quote that never closes costs linear time.
const BLANK = /[ \t\n\r\f\v]+|--[^\n]*/y
const WORD = /[a-z_\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*/iuy
const DOLLAR_TAG = /\$(?:[a-z_\u0080-\u{10ffff}][\w\u0080-\u{10ffff}]*)?\$/iuy
const PLAIN_STRING = /'[^']*(?:''[^']*)*'/y
const ESCAPE_STRING = /e'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/iy
const QUOTED_NAME = /"[^"]*(?:""[^"]*)*"/y

function readToken(sql: string, at: number): Token {
  const matchEnd = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.test(sql) ? pattern.lastIndex : 0
  }
  const quoted = (pattern: RegExp, name: string): Token => {
    const end = matchEnd(pattern)
    return end ? { kind: 'literal', end } : { kind: 'literal', end: sql.length, open: name }
  }
  const blank = matchEnd(BLANK)
  if (blank) return { kind: 'blank', end: blank }
  if (sql.startsWith('/*', at)) return readBlockComment(sql, at)
  if (/^e'/i.test(sql.slice(at, at + 2))) return quoted(ESCAPE_STRING, 'string')
  const word = matchEnd(WORD)
  if (word) return { kind: 'word', end: word }
  if (sql[at] === "'") return quoted(PLAIN_STRING, 'string')
  if (sql[at] === '"') return quoted(QUOTED_NAME, 'quoted name')
  const tagEnd = matchEnd(DOLLAR_TAG)
  if (tagEnd) {
    const tag = sql.slice(at, tagEnd)
    const end = sql.indexOf(tag, tagEnd)
    return end < 0
      ? { kind: 'literal', end: sql.length, open: `dollar quote ${tag}` }
      : { kind: 'literal', end: end + tag.length }
  }
  return { kind: sql[at] === ';' ? 'semicolon' : 'other', end: at + 1 }
}

/** Block comments nest in PostgreSQL. */
function readBlockComment(sql: string, at: number): Token {
  const marks = /\/\*|\*\//g
  marks.lastIndex = at
  let depth = 0
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return { kind: 'blank', end: marks.lastIndex }
  }
  return { kind: 'blank', end: sql.length, open: 'comment' }
}

/** Keeps track of `create function … begin atomic … end`, whose semicolons belong to the body. */
function enterWord(body: { words: string[]; depth: number; begin: number }, word: string, at: number) {
  const { words } = body
  const creates = /^create (or replace )?(function|procedure)\b/.test(words.slice(0, 4).join(' '))
  if (creates && body.depth === 0 && word === 'atomic' && words.at(-1) === 'begin') {
    body.depth = 1
    body.begin = at
  } else if (body.depth > 0 && word === 'case') body.depth++
  else if (body.depth > 0 && word === 'end') body.depth--
  words.push(word)
}
