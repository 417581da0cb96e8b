import assert from 'node:assert/strict'
import test from 'node:test'
import { parseDecimal } from '../../fiscal/money.ts'
import { importeConLetra } from './importe-con-letra.ts'

test('amounts are said in words, to the centavo', () => {
  const cases: [string, string, string | null][] = [
    ['0', 'MXN', 'CERO PESOS 00/100 M.N.'],
    ['0.01', 'MXN', 'CERO PESOS 01/100 M.N.'],
    ['1', 'MXN', 'UN PESO 00/100 M.N.'],
    ['1.5', 'MXN', 'UN PESO 50/100 M.N.'],
    ['15.99', 'MXN', 'QUINCE PESOS 99/100 M.N.'],
    ['16', 'MXN', 'DIECISÉIS PESOS 00/100 M.N.'],
    ['20', 'MXN', 'VEINTE PESOS 00/100 M.N.'],
    ['21', 'MXN', 'VEINTIÚN PESOS 00/100 M.N.'],
    ['22', 'MXN', 'VEINTIDÓS PESOS 00/100 M.N.'],
    ['30', 'MXN', 'TREINTA PESOS 00/100 M.N.'],
    ['31', 'MXN', 'TREINTA Y UN PESOS 00/100 M.N.'],
    ['99', 'MXN', 'NOVENTA Y NUEVE PESOS 00/100 M.N.'],
    ['100', 'MXN', 'CIEN PESOS 00/100 M.N.'],
    ['101', 'MXN', 'CIENTO UN PESOS 00/100 M.N.'],
    ['500', 'MXN', 'QUINIENTOS PESOS 00/100 M.N.'],
    ['721', 'MXN', 'SETECIENTOS VEINTIÚN PESOS 00/100 M.N.'],
    ['1000', 'MXN', 'UN MIL PESOS 00/100 M.N.'],
    ['1234.50', 'MXN', 'UN MIL DOSCIENTOS TREINTA Y CUATRO PESOS 50/100 M.N.'],
    ['21000', 'MXN', 'VEINTIÚN MIL PESOS 00/100 M.N.'],
    ['100000', 'MXN', 'CIEN MIL PESOS 00/100 M.N.'],
    ['101001', 'MXN', 'CIENTO UN MIL UN PESOS 00/100 M.N.'],
    ['1000000', 'MXN', 'UN MILLÓN DE PESOS 00/100 M.N.'],
    ['1000001', 'MXN', 'UN MILLÓN UN PESOS 00/100 M.N.'],
    ['2000000.10', 'MXN', 'DOS MILLONES DE PESOS 10/100 M.N.'],
    ['21021021', 'MXN', 'VEINTIÚN MILLONES VEINTIÚN MIL VEINTIÚN PESOS 00/100 M.N.'],
    ['1000000000', 'MXN', 'UN MIL MILLONES DE PESOS 00/100 M.N.'],
    [
      '999999999999.99',
      'MXN',
      'NOVECIENTOS NOVENTA Y NUEVE MIL NOVECIENTOS NOVENTA Y NUEVE MILLONES NOVECIENTOS NOVENTA Y NUEVE MIL NOVECIENTOS NOVENTA Y NUEVE PESOS 99/100 M.N.',
    ],
    ['1', 'USD', 'UN DÓLAR 00/100 USD'],
    ['1160', 'USD', 'UN MIL CIENTO SESENTA DÓLARES 00/100 USD'],
    ['1000000', 'EUR', 'UN MILLÓN DE EUROS 00/100 EUR'],
    ['221', 'GBP', 'DOSCIENTAS VEINTIUNA LIBRAS ESTERLINAS 00/100 GBP'],
    ['200200', 'GBP', 'DOSCIENTAS MIL DOSCIENTAS LIBRAS ESTERLINAS 00/100 GBP'],
    ['200000000', 'GBP', 'DOSCIENTOS MILLONES DE LIBRAS ESTERLINAS 00/100 GBP'],
    ['12.345678', 'MXN', 'DOCE PESOS 35/100 M.N.'],
    ['0.995', 'MXN', 'UN PESO 00/100 M.N.'],
    // A currency without a name of ours has its key, also where that is a word of the language of the program.
    ['21', 'KWD', 'VEINTIÚN 00/100 KWD'],
    ['1000000', 'constructor', 'UN MILLÓN 00/100 constructor'],
    ['0', 'XXX', null],
  ]
  for (const [importe, moneda, words] of cases)
    assert.equal(importeConLetra(parseDecimal(importe), moneda), words, `${importe} ${moneda}`)
  assert.equal(importeConLetra({ units: -150n, places: 2 }, 'MXN'), 'MENOS UN PESO 50/100 M.N.')
  assert.equal(importeConLetra({ units: 10n ** 12n, places: 0 }, 'MXN'), 'UN BILLÓN DE PESOS 00/100 M.N.')
  assert.throws(() => importeConLetra({ units: 10n ** 24n, places: 0 }, 'MXN'), RangeError)
})
