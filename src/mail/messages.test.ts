import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { ZodError } from 'zod'
import { isTemplate, type MailData, mailExpiry, parseMailData, renderMail, type TemplateName } from './messages.ts'

const SITE = 'https://app.horux360.mx'

const acceso = { password: 'Temporal-7391-xk', venceEl: '2026-11-25T16:00:00.000Z' }
const lugar = { cuando: '2026-11-22T15:30:00.000Z', ip: '203.0.113.7', dispositivo: 'Firefox en Windows' }
const samples: MailData = {
  bienvenida: {
    nombre: 'Ana',
    empresa: 'Muebles & Cía S.A.',
    rfc: 'MCI010101AA1',
    email: 'ana@muebles.example',
    acceso,
  },
  invitacion: {
    nombre: 'Luis',
    empresa: 'Muebles & Cía S.A.',
    rfc: 'MCI010101AA1',
    rol: 'contador',
    invitadoPor: 'Ana',
    email: 'luis@muebles.example',
    acceso,
  },
  restablecer: { nombre: 'Ana', token: 'q3Zx_9-aB0kT5vLw8YcE', venceEl: '2026-11-22T15:45:00.000Z' },
  password_cambiada: { nombre: 'Ana', ...lugar },
  sesion_nueva: { nombre: 'Ana', ...lugar },
  sesion_cerrada: { nombre: 'Ana', ...lugar },
}
const names = Object.keys(samples).filter(isTemplate)

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
  const free = ['nombre', 'empresa', 'rfc', 'invitadoPor', 'email', 'ip', 'dispositivo']
  for (const name of names) {
    for (const field of Object.keys(samples[name]).filter((f) => free.includes(f))) {
      for (const text of HOSTILE) assert.doesNotThrow(() => render(name, { ...samples[name], [field]: text }))
    }
  }
})

test('the subject is one line of at most 80 characters of the name and no invisible ones', () => {
  fc.assert(
    fc.property(hostile, (empresa) => {
      for (const name of ['bienvenida', 'invitacion'] as const) {
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
    for (const secret of [acceso.password, samples.restablecer.token])
      assert.ok(!`${subject}${preview}`.includes(secret))
  }
})

test('a mail ends when what it offers ends', () => {
  assert.equal(mailExpiry('bienvenida', samples.bienvenida)?.toISOString(), acceso.venceEl)
  assert.equal(mailExpiry('invitacion', { ...samples.invitacion, acceso: null }), null)
  assert.equal(mailExpiry('restablecer', samples.restablecer)?.toISOString(), samples.restablecer.venceEl)
  assert.equal(mailExpiry('sesion_nueva', samples.sesion_nueva), null)
})

test('a name of Object.prototype is no template', () => {
  for (const name of ['__proto__', 'constructor', 'toString', '']) assert.equal(isTemplate(name), false)
})

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
