import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { ZodError } from 'zod'
import {
  holdsSecret,
  isTemplate,
  mailExpiry,
  parseMailData,
  renderMail,
  type TemplateName,
  templateNames,
} from './messages.ts'
import { samples } from './samples.ts'

const SITE = 'https://app.horux360.mx'

const acceso = samples.bienvenida.acceso ?? assert.fail('the sample has a password')
const names = templateNames

test('whatever stands in any field of any mail, its HTML has the same elements, attributes and links', () => {
  for (const name of names) {
    for (const field of Object.keys(samples[name])) {
      const expected = shape(render(name, samples[name]).html)
      fc.assert(
        fc.property(hostile, (text) => {
          const mail = tryRender(name, { ...samples[name], [field]: text })
          if (mail) assert.deepEqual(shape(mail.html), expected)
        }),
        { numRuns: 60 },
      )
    }
  }
})

test('names of any content are accepted: a mail never fails the registration that caused it', () => {
  const free = ['nombre', 'empresa', 'plan', 'rfc', 'invitadoPor', 'email', 'ip', 'dispositivo']
  for (const name of names) {
    for (const field of Object.keys(samples[name]).filter((f) => free.includes(f))) {
      for (const text of HOSTILE) assert.doesNotThrow(() => render(name, { ...samples[name], [field]: text }))
    }
  }
})

test('the subject is one line of at most 80 characters of the name and no invisible ones', () => {
  fc.assert(
    fc.property(hostile, (empresa) => {
      for (const name of names.filter((template) => 'empresa' in samples[template])) {
        const { subject } = render(name, { ...samples[name], empresa })
        const fixed = render(name, { ...samples[name], empresa: '' }).subject
        const visible = subject.replaceAll('\u2060', '')
        assert.ok([...visible].length <= [...fixed].length + 80, visible)
        assert.doesNotMatch(visible, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>"\\]/u)
      }
    }),
  )
})

test('no line of the plain text begins because a name had a line break in it', () => {
  for (const name of names) {
    const lines = render(name, samples[name]).text.split('\n').length
    const evil = { nombre: 'Ana\r\n\r\nContraseña temporal: hunter2', empresa: 'X\nY', dispositivo: 'a\u2028b\u0085c' }
    const data = Object.fromEntries(
      Object.entries(samples[name]).map(([field, value]) => [field, evil[field as keyof typeof evil] ?? value]),
    )
    assert.equal(render(name, data).text.split('\n').length, lines)
  }
})

test('a name that looks like an address does not become a link', () => {
  const { html, text, subject } = render('bienvenida', {
    ...samples.bienvenida,
    empresa: 'Premio en http://malo.example/x',
  })
  for (const part of [html, text, subject]) assert.doesNotMatch(part, /malo\.example|http:\/\/malo/)
  assert.match(render('bienvenida', samples.bienvenida).text, /Muebles & Cía S\.A\./)
})

test('what a row of the outbox keeps is well-formed text without control characters, and renders the same', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const data = { ...samples.invitacion, nombre: text, empresa: text, invitadoPor: text }
      const kept = JSON.parse(JSON.stringify(parseMailData('invitacion', data)))
      assert.ok(JSON.stringify(kept).isWellFormed())
      assert.doesNotMatch(JSON.stringify(kept), /\\u0000/)
      assert.deepEqual(render('invitacion', kept), render('invitacion', data))
    }),
  )
})

test('every link starts with the configured address, and the reset token is in the fragment', () => {
  for (const name of names) {
    for (const href of shape(render(name, samples[name]).html).links) assert.ok(href.startsWith(SITE), href)
  }
  assert.match(render('restablecer', samples.restablecer).text, /restablecer#token=q3Zx_9-aB0kT5vLw8YcE\n/)
})

test('a person who has an account gets no password, a new one gets theirs with the hour it expires', () => {
  const known = render('invitacion', { ...samples.invitacion, acceso: null })
  assert.doesNotMatch(known.html + known.text, /temporal/i)
  const fresh = render('bienvenida', samples.bienvenida)
  for (const part of [fresh.html, fresh.text]) {
    assert.ok(part.includes('Temporal-7391-xk'))
    assert.match(part, /25 de noviembre de 2026/)
    assert.match(part, /10:00 h \(hora del centro de México\)/)
  }
})

test('a secret is never in the subject or in the preview line', () => {
  for (const name of names) {
    const { subject, html } = render(name, samples[name])
    const preview = /<div style="display:none[^>]*>([^<]*)</.exec(html)?.[1] ?? assert.fail('no preview')
    for (const secret of SECRETS) assert.ok(!`${subject}${preview}`.includes(secret), name)
  }
})

test('a mail ends when what it offers ends', () => {
  assert.equal(mailExpiry('bienvenida', samples.bienvenida)?.toISOString(), acceso.venceEl)
  assert.equal(mailExpiry('invitacion', { ...samples.invitacion, acceso: null }), null)
  assert.equal(mailExpiry('restablecer', samples.restablecer)?.toISOString(), samples.restablecer.venceEl)
  assert.equal(mailExpiry('sesion_nueva', samples.sesion_nueva), null)
  assert.equal(mailExpiry('enlace_pago', samples.enlace_pago)?.toISOString(), samples.enlace_pago.venceEl)
  // The notice of a charge, with the day of the charge in Mexico City.
  const announced = mailExpiry('aviso_renovacion', samples.aviso_renovacion)
  assert.equal(announced?.toISOString(), '2026-10-01T06:00:00.000Z')
})

test('what holds a password or a token says so, and nothing else does', () => {
  for (const name of names) {
    const data = JSON.stringify(samples[name])
    assert.equal(
      holdsSecret(name, samples[name]),
      SECRETS.some((secret) => data.includes(secret)),
      name,
    )
  }
  assert.equal(holdsSecret('bienvenida', { ...samples.bienvenida, acceso: null }), false)
})

test('money has its thousands and its centavos, days are written out, and a period ends on its last day', () => {
  const { text, subject } = render('pago_confirmado', samples.pago_confirmado)
  assert.match(text, /^Importe: \$1,250\.00 MXN$/m)
  assert.match(text, /^Fecha de pago: 31 de agosto de 2026$/m)
  assert.match(text, /^Periodo pagado: Del 31 de agosto de 2026 al 29 de septiembre de 2026$/m)
  assert.match(text, /^Saldo a favor: \$220\.00 MXN$/m)
  assert.match(subject, /: \$1,250\.00 MXN$/)
  for (const [importe, shown] of [
    ['0.05', '$0.05 MXN'],
    ['999.99', '$999.99 MXN'],
    ['1000.00', '$1,000.00 MXN'],
    ['200000.00', '$200,000.00 MXN'],
    ['1234567.80', '$1,234,567.80 MXN'],
  ])
    assert.ok(render('pago_confirmado', { ...samples.pago_confirmado, importe }).subject.endsWith(`: ${shown}`), shown)
  const alone = render('pago_confirmado', { ...samples.pago_confirmado, saldoAFavor: null })
  assert.doesNotMatch(alone.html + alone.text, /saldo/i)
})

test('an amount that is no money and a day that is none are refused before a mail is left', () => {
  for (const importe of ['1,250.00', '1250', '-1.00', '1250.5', '1e3', '', 650])
    assert.throws(() => parseMailData('gracia', { ...samples.gracia, importe }), ZodError, String(importe))
  for (const suspensionEl of ['2026-02-30', '30/09/2026', '2026-09-30T00:00:00Z', ''])
    assert.throws(() => parseMailData('gracia', { ...samples.gracia, suspensionEl }), ZodError, suspensionEl)
})

test('the notice of a renewal tells amount, period and day, and cancels with one click (LFPC 76 Bis VIII, IX)', () => {
  const { html, text } = render('aviso_renovacion', samples.aviso_renovacion)
  for (const part of [
    'Importe: $1,250.00 MXN',
    'Fecha del cargo: 30 de septiembre de 2026',
    'Periodo que cubre: Un mes',
  ])
    assert.ok(text.includes(part), part)
  const cancel = `${SITE}/cancelar/${samples.aviso_renovacion.tokenCancelar}`
  assert.ok(shape(html).links.includes(cancel))
  assert.ok(text.includes(cancel))
  const yearly = render('aviso_renovacion', { ...samples.aviso_renovacion, frecuencia: 'anual' })
  assert.match(yearly.text, /Periodo que cubre: Un año/)
})

test('the link to pay and the subscription are where the product has them', () => {
  const { links } = shape(render('enlace_pago', samples.enlace_pago).html)
  assert.ok(links.includes(`${SITE}/pagar/${samples.enlace_pago.token}`))
  for (const name of names.filter((template) => 'plan' in samples[template] && template !== 'reactivada'))
    if (name !== 'enlace_pago') assert.ok(render(name, samples[name]).text.includes(`${SITE}/suscripcion`), name)
})

test('every reason has words of its own, in HTML that is well formed', () => {
  const variants: [TemplateName, object[]][] = [
    [
      'pago_confirmado',
      [
        { forma: 'tarjeta' },
        { forma: 'transferencia' },
        { forma: 'pago_unico' },
        { periodoInicio: null, periodoFin: null },
      ],
    ],
    [
      'pago_fallido',
      [
        { remedio: 'cambiar_tarjeta' },
        { remedio: 'fondos_o_banco' },
        { remedio: 'neutral' },
        { seReintenta: false },
        { accesoCompletoHasta: null },
      ],
    ],
    ['por_vencer_5d', [{ porque: 'transferencia' }, { porque: 'cancelada' }]],
    [
      'cancelada',
      [
        ...['usuario', 'mp', 'impago', 'fin_periodo', 'admin', 'reembolso'].map((motivo) => ({ motivo })),
        { accesoHasta: null },
      ],
    ],
    ['trial_por_vencer', [{ tarjetaLista: true }, { tarjetaLista: false }]],
    ['suspendida', [{ motivo: 'impago' }, { motivo: 'admin' }, { cancelacionEl: null }]],
    ['pausada', [{}, { accesoHasta: null }, { reanudaEl: null }]],
    ['pago_reembolsado', [{ total: true }, { total: false }]],
    ['enlace_pago', [{ frecuencia: 'mensual' }, { frecuencia: 'anual' }]],
    ['aviso_renovacion', [{ frecuencia: 'mensual' }, { frecuencia: 'anual' }]],
  ]
  for (const [name, changes] of variants) {
    const mails = changes.map((change) => render(name, { ...samples[name], ...change }))
    for (const { html, text } of mails) {
      assert.ok(shape(html).links.length > 0, name)
      // The name of a company often ends with a point of its own.
      assert.ok(!text.includes('..'), text)
    }
    assert.equal(new Set(mails.map(({ text }) => text)).size, changes.length, name)
  }
})

test('nothing in a mail is wider than the narrowest screen: widths are shares or upper bounds, and words break', () => {
  for (const name of names) {
    const { html } = render(name, samples[name])
    assert.match(html, /<meta name="viewport" content="width=device-width, initial-scale=1" \/>/)
    for (const [, width = ''] of html.matchAll(/\bwidth="([^"]*)"/g)) assert.equal(width, '100%', name)
    assert.doesNotMatch(html, /[;"](?:min-)?width:|white-space:\s*nowrap|<img/, name)
    for (const [body = ''] of html.matchAll(/<td style="[^"]*padding:(?:28|16)px 28px[^"]*"/g))
      assert.match(body, /overflow-wrap:anywhere/, name)
  }
})

test('no mail leaves a hole where a value should be, or addresses its reader as usted', () => {
  for (const name of names) {
    const { subject, text } = render(name, samples[name])
    const words = `${subject}\n${text}`
    assert.doesNotMatch(words, /undefined|null|\[object|NaN|Invalid/, name)
    assert.doesNotMatch(words, /\b(usted|deberá|suyas?|ingrese|haga clic|tiene acceso a)\b/i, name)
  }
})

test('a name of Object.prototype is no template', () => {
  for (const name of ['__proto__', 'constructor', 'toString', '']) assert.equal(isTemplate(name), false)
})

const SECRETS = [
  acceso.password,
  samples.restablecer.token,
  samples.enlace_pago.token,
  samples.aviso_renovacion.tokenCancelar,
]

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(1)</script>',
  "' onmouseover='alert(1)",
  '" style="position:fixed" onclick="x',
  '</td></tr></table><h1>Su cuenta fue suspendida</h1>',
  ']]><!--',
  '&lt;b&gt;&#60;b&#62;&amp;',
  '{{7*7}}%0d%0a<%= 1 %>',
  'Ana\r\nBcc: evil@malo.example\r\n\r\n<b>hola</b>',
  'a\u0000b\u001bc\u202Ed\u2028e\uD800f\uFFFF',
  'a'.repeat(10_240),
  '<b>'.repeat(3_413),
  '😀'.repeat(2_560),
  'é\u0301\u0301\u0301'.repeat(500),
  'javascript:alert(1)',
  '',
]

const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(fc.constantFrom('<', '>', '"', "'", '&', '=', '/', '\r\n', 'a', ' onload', '<a href', '\uD83D'), {
      maxLength: 30,
    })
    .map((a) => a.join('')),
)

// Rows of the outbox are not typed, nor are attackers: what a test feeds in is only claimed to fit.
const render = (name: TemplateName, data: unknown) => renderMail(name, data as never, SITE)

/** Fields with a shape of their own (token, password, instants, role) may refuse; nothing else may be thrown. */
function tryRender(name: TemplateName, data: unknown) {
  try {
    return render(name, data)
  } catch (error) {
    assert.ok(error instanceof ZodError, String(error))
    return null
  }
}

/** Every element with its attributes' names, in order, and every link: what a reader of the mail would act on. */
function shape(html: string) {
  const elements: string[] = []
  const links: string[] = []
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('comment', () => assert.fail('a comment'))
  parser.on('cdata', () => assert.fail('a CDATA section'))
  parser.on('opentag', (tag) => {
    elements.push(`${tag.name} ${Object.keys(tag.attributes).join(' ')}`)
    if ('href' in tag.attributes) links.push(String(tag.attributes['href']))
  })
  parser.write(html).close()
  return { elements, links }
}
