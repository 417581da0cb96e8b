import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clase, clasifica, enPalabras, type Lugar } from './codigos.ts'

const LUGARES: readonly Lugar[] = ['autentica', 'solicita', 'verifica', 'descarga', 'estado']

// sat.md 2.4, in the order of LUGARES: what every code means wherever it may stand.
const P = 'persona'
const TABLE: [codigo: string, ...Clase[]][] = [
  ['300', 'token', 'token', 'token', 'token', P],
  ['301', 'parametros', 'parametros', 'parametros', 'parametros', 'parametros'],
  ['302', 'sello', 'sello', 'sello', 'sello', 'sello'],
  ['303', 'sello', 'sello', 'sello', 'sello', 'sello'],
  ['304', 'credencial', 'credencial', 'credencial', 'credencial', 'credencial'],
  ['305', 'credencial', 'credencial', 'credencial', 'credencial', 'credencial'],
  ['404', 'transitoria', 'transitoria', 'transitoria', 'transitoria', 'transitoria'],
  ['5000', 'aceptada', 'aceptada', 'aceptada', 'aceptada', 'aceptada'],
  ['5001', P, 'parametros', 'parametros', P, 'parametros'],
  ['5002', P, 'agotada', 'agotada', P, 'agotada'],
  ['5003', P, 'tope', 'tope', P, 'tope'],
  ['5004', P, P, 'desconocida', 'desconocida', 'vacia'],
  ['5005', P, 'repetida', 'repetida', P, 'repetida'],
  ['5006', 'transitoria', 'transitoria', 'transitoria', 'transitoria', 'transitoria'],
  ['5007', P, P, P, 'paquete_vencido', P],
  ['5008', P, P, P, 'paquete_agotado', P],
  ['5011', P, 'manana', 'manana', 'manana', 'manana'],
  ['5012', P, 'no_descargable', 'no_descargable', P, 'no_descargable'],
  ['5999', P, P, P, P, P],
  ['', P, P, P, P, P],
  ['constructor', P, P, P, P, P],
]

for (const [codigo, ...classes] of TABLE)
  test(`the code «${codigo}» means the same every time, wherever it stands`, () => {
    const found = LUGARES.map((lugar) => clasifica(lugar, codigo))
    assert.deepEqual(found, classes)
    for (const lugar of LUGARES) {
      const words = enPalabras(codigo, lugar, 'Lo que dijo')
      assert.match(words, /^(El|La|Se) .{20,}\.$/)
      const known = clasifica(lugar, codigo) !== 'persona'
      assert.equal(words.includes('Lo que dijo'), !known, 'an unknown code is told in the words of the SAT')
      if (known) assert.ok(words.includes(codigo))
    }
  })
