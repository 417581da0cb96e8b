import type { z } from 'zod'
import { accessTemplates } from './access-templates.ts'
import { fielTemplates } from './fiel-templates.ts'
import { layout, type RenderedMail } from './layout.ts'
import { paymentTemplates } from './payment-templates.ts'
import { subscriptionTemplates } from './subscription-templates.ts'

/**
 * The mail `template` makes of `data`. Links start with `publicUrl`, the configured address of the product (absolute, no
 * slash at its end), never with a host that came in a request.
 *
 * `data` may be what the outbox row holds: it is parsed, names are cleaned and cut.
 * @throws ZodError when it does not fit the template
 */
export function renderMail<N extends TemplateName>(template: N, data: MailData[N], publicUrl: string): RenderedMail {
  return layout(templates[template].letter(data, publicUrl), publicUrl)
}

/** What a row of the outbox may keep: names cleaned, nothing PostgreSQL would refuse. @throws ZodError */
export function parseMailData(template: TemplateName, data: unknown): { [field: string]: unknown } {
  return templates[template].schema.parse(data)
}

/** When the mail has no meaning any more, because what it offers has expired; null when it does not expire by itself. */
export function mailExpiry<N extends TemplateName>(template: N, data: MailData[N]): Date | null {
  return templates[template].expiry(data)
}

/** Whether `data` holds a password or the token of a link: it must not outlive the mail, so that one goes out only once. */
export function holdsSecret<N extends TemplateName>(template: N, data: MailData[N]): boolean {
  return templates[template].secret(data)
}

export const isTemplate = (name: string): name is TemplateName => Object.hasOwn(templates, name)

export type TemplateName = keyof typeof templates

/** What each template wants to know. */
export type MailData = { [N in TemplateName]: z.input<(typeof templates)[N]['schema']> }

const templates = { ...accessTemplates, ...fielTemplates, ...paymentTemplates, ...subscriptionTemplates } as const

export const templateNames = Object.keys(templates) as readonly TemplateName[]
