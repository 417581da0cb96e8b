import { html } from '../../html.ts'
import { page } from './layout.ts'

/**
 * Where MercadoPago sends the payer back to. What it says in the address is nobody's word (billing.md 2.1), so this page
 * knows nothing and tells how it goes on.
 */
export const returnPage = (publicUrl: string): string =>
  page({
    title: 'Estamos confirmando tu pago',
    content: html`<h1>Estamos confirmando tu pago</h1>
<p>Si ya lo autorizaste en MercadoPago, no tienes que hacer nada más. El cargo suele quedar en una hora y a veces tarda un poco más.</p>
<p>Cuando MercadoPago nos lo confirme, la suscripción se activa sola y enviamos un correo a quienes administran la empresa. Puedes cerrar esta página.</p>
<p>Si tu tarjeta no pasó o cerraste MercadoPago sin autorizar, no se cobró nada: vuelve a empezar desde tu suscripción o desde el enlace que recibiste.</p>
<a class="boton" href="${publicUrl}/suscripcion">Ver mi suscripción</a>`,
  })

/** Any refusal, for a person. */
export const refusalPage = (title: string, mensaje: string): string =>
  page({ title, content: html`<h1>${title}</h1><p>${mensaje}</p>` })
