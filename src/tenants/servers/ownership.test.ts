import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownershipOf } from './ownership.ts'
import type { DatabaseFacts } from './queries.ts'

const mark = 'horux tenant=018f0000-0000-7000-8000-000000000001'
const facts = (given: Partial<DatabaseFacts>): DatabaseFacts => ({
  name: 'horux_abc850101ab1',
  owner: 'horux_owner',
  allowsConnections: true,
  connectionLimit: -1,
  isTemplate: false,
  comment: null,
  ...given,
})

const cases: [string, Partial<DatabaseFacts> | undefined, ReturnType<typeof ownershipOf>][] = [
  ['nothing is there', undefined, 'absent'],
  ['finished, with our mark', { comment: mark }, 'ours'],
  ['retired, with our mark', { comment: mark, allowsConnections: false }, 'ours'],
  ['a CREATE that was not opened yet', { allowsConnections: false }, 'unfinished'],
  ['a DROP of ours that was interrupted', { comment: mark, connectionLimit: -2 }, 'unfinished'],
  ['a DROP that was interrupted before it was marked', { connectionLimit: -2 }, 'unfinished'],
  ['anybody may enter and nobody marked it', {}, 'foreign'],
  ['the mark of another tenant', { comment: `${mark.slice(0, -1)}2` }, 'foreign'],
  ['the mark of another tenant, half dropped', { comment: 'horux tenant=otro', connectionLimit: -2 }, 'foreign'],
  ['a comment of a person', { comment: 'contabilidad 2019', allowsConnections: false }, 'foreign'],
  ['our mark, but not our owner', { comment: mark, owner: 'postgres' }, 'foreign'],
  ['closed, but not our owner', { allowsConnections: false, owner: 'postgres' }, 'foreign'],
  ['a template', { allowsConnections: false, isTemplate: true }, 'foreign'],
]

for (const [what, given, expected] of cases)
  test(`${what}: ${expected}`, () => {
    assert.equal(ownershipOf(given && facts(given), mark), expected)
  })
