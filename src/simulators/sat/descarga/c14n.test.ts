import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonical } from './c14n.ts'
import { childOf, elementsOf, parseXml } from './xml-tree.ts'

// Cases of https://www.w3.org/TR/xml-exc-c14n/ 2.2 and https://www.w3.org/TR/xml-c14n 3, as far as messages have them.
const CASES: [string, string, string][] = [
  ['empty elements have an end', '<a><b/></a>', '<a><b></b></a>'],
  [
    'attributes by namespace, then by name',
    '<a xmlns:z="u:1" xmlns:y="u:2" y:m="1" z:n="2" c="3" b="4"/>',
    '<a xmlns:y="u:2" xmlns:z="u:1" b="4" c="3" z:n="2" y:m="1"></a>',
  ],
  ['what nobody uses is not declared', '<a xmlns:x="u:x"><b xmlns:y="u:y"/></a>', '<a><b></b></a>'],
  [
    'declared where it is used first',
    '<a xmlns:x="u:x"><x:b><x:c/></x:b><x:d/></a>',
    '<a><x:b xmlns:x="u:x"><x:c></x:c></x:b><x:d xmlns:x="u:x"></x:d></a>',
  ],
  ['a default that is undone', '<a xmlns="u:a"><b xmlns=""/></a>', '<a xmlns="u:a"><b xmlns=""></b></a>'],
  [
    'a prefix that changes its meaning',
    '<x:a xmlns:x="u:1"><x:b xmlns:x="u:2"/></x:a>',
    '<x:a xmlns:x="u:1"><x:b xmlns:x="u:2"></x:b></x:a>',
  ],
  [
    'characters',
    '<a b="&lt;&quot;&#9;&#10;&#13;&amp;>">&lt;&gt;&amp;"&#13;\n</a>',
    '<a b="&lt;&quot;&#x9;&#xA;&#xD;&amp;>">&lt;&gt;&amp;"&#xD;\n</a>',
  ],
  ['sections of text', '<a><![CDATA[<&]]>Ñ</a>', '<a>&lt;&amp;Ñ</a>'],
  ['no comments, no declaration', '<?xml version="1.0"?><a><!-- x -->y</a>', '<a>y</a>'],
]

test('exclusive canonical XML is what its text says', () => {
  for (const [what, given, wanted] of CASES) assert.equal(canonical(parseXml(given)), wanted, what)
})

test('of an element inside, only what it uses of what is declared around it', () => {
  const root = parseXml('<a xmlns="u:a" xmlns:x="u:x" xmlns:y="u:y"><x:b y:c="1"><d/><x:s>no</x:s></x:b></a>')
  const inner = childOf(root, 'u:x', 'b')
  const without = elementsOf(inner)[1]
  assert.equal(
    canonical(inner, without ? { without } : {}),
    '<x:b xmlns:x="u:x" xmlns:y="u:y" y:c="1"><d xmlns="u:a"></d></x:b>',
  )
})

test('what is no XML, or more than a message has, is refused', () => {
  for (const text of [
    '',
    'a',
    '<a>',
    '<a b="1" b="2"/>',
    '<!DOCTYPE a><a/>',
    '<x:a/>',
    '<a>'.repeat(70) + '</a>'.repeat(70),
  ])
    assert.throws(() => parseXml(text), text)
})
