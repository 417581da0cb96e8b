import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { splitStatements, UnterminatedSql } from './statements.ts'

const texts = (sql: string) => splitStatements(sql).map(({ text }) => text)

test('a semicolon ends a statement only where PostgreSQL says so', () => {
  const whole = [
    `select ';', 'it''s; fine', "a;""b"`,
    `select E'\\';', e'\\\\'`,
    `select U&'d\\0061t;', N'x;', date '2026-01-01;'`,
    'select $$ a; b $$, $x$ c; $$ d; $x$, $ñ$;$ñ$',
    `do $body$ begin perform 1; raise notice 'a;'; end $body$`,
    'select 1 /* a; /* b; */ c; */ + 1 -- d; e\n + 1',
    'create rule r as on insert to a do also (insert into b values (1); insert into c values (2))',
    'create table a$b$c (x int)',
    'create function f(a int) returns int language sql begin atomic select 1; select case when a > 1 then 2 else 3 end; end',
    'create or replace procedure begin() language sql begin atomic insert into t values (1); end',
    'select 1$a$; $a$',
    'select 1 -- no newline after; this',
  ]
  for (const sql of whole) assert.deepEqual(texts(sql), [sql], sql)
})

test('statements begin where their first word stands, comments between them belong to none', () => {
  const sql = '-- head;\n\nselect 1;;\n/* between; */ select\n  2 ; -- tail\n  create view v as\n select 3;\n-- end'
  assert.deepEqual(splitStatements(sql), [
    { text: 'select 1', line: 3 },
    { text: 'select\n  2', line: 4 },
    { text: 'create view v as\n select 3', line: 6 },
  ])
})

test('what is never closed is refused with the line where it begins', () => {
  const open = [
    `select 'a;\n`,
    'select "a',
    'select $x$ $$ ;',
    '/* /* */ ',
    `select E'a\\'`,
    'values (1, (2)',
    'create function f() returns int begin atomic select 1;',
  ]
  for (const sql of open)
    assert.throws(
      () => splitStatements(`select 1;\n${sql}`),
      (error) => error instanceof UnterminatedSql && error.line === 2,
      sql,
    )
})

test('an unclosed quote of a megabyte costs no more than its length', () => {
  const started = process.cpuUsage()
  assert.throws(() => splitStatements(`select '${"''a".repeat(350_000)}`), UnterminatedSql)
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 2_000_000)
})

test('property: joined statements come apart again, at their lines', () => {
  const inner = fc.stringMatching(/^[a-z;'"$\\\-/*() \n]{0,12}$/)
  const piece = fc.oneof(
    fc.constantFrom('a', 'b1', '+', ',', 'x$y', '1', ' ', '\n', 'begin', 'end', 'case', '::', '[', ']'),
    inner.map((text) => `'${text.replaceAll("'", "''")}'`),
    inner.map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
    inner.map((text) => `"${text.replaceAll('"', '""')}"`),
    inner.map((text) => ` $q$${text.replaceAll('$', '')}$q$`),
    inner.map((text) => ` /* ${text.replaceAll(/[/*]/g, '')} */ `),
    inner.map((text) => ` -- ${text.replaceAll('\n', ' ')}\n`),
    fc.array(fc.constantFrom('a', ';', ',', "';'"), { maxLength: 4 }).map((parts) => `(${parts.join(' ')})`),
  )
  const statement = fc.array(piece, { maxLength: 8 }).map((pieces) => `select ${pieces.join(' ')} z`)
  fc.assert(
    fc.property(
      fc.array(statement, { maxLength: 6 }),
      fc.constantFrom(';', ' ;\n', ';\n\n-- c;\n', '; /* d; */ ', ';;'),
      (all, separator) => {
        const sql = all.join(separator)
        const cut = splitStatements(sql)
        assert.deepEqual(
          cut.map(({ text }) => text),
          all,
        )
        const lines = sql.split('\n')
        for (const { text, line } of cut)
          assert.ok(
            lines
              .slice(line - 1)
              .join('\n')
              .includes(text),
          )
      },
    ),
    { numRuns: 500 },
  )
})
