import { z } from 'zod'
import { button, facts, hello, inSubject, instante, linea, moment, nombre, template, text } from './template.ts'

/** What happens to e.firmas. */
export const fielTemplates = {
  /** A company uploaded its e.firma: to the platform, whose people look whether its CFDI begin to arrive. */
  fiel_subida: template(
    z.object({
      empresa: nombre,
      rfc: linea,
      serie: linea,
      venceEl: instante,
      subidaPor: linea,
      cuando: instante,
      reemplaza: z.boolean(),
    }),
    ({ empresa, rfc, serie, venceEl, subidaPor, cuando, reemplaza }) => ({
      subject: `${inSubject(empresa)} subió su FIEL`,
      preview: reemplaza ? 'Reemplaza a la que tenía.' : 'Es la primera vigente que tiene aquí.',
      title: `${empresa} subió su e.firma`,
      blocks: [
        text(
          reemplaza
            ? `${empresa} reemplazó su e.firma. La sincronización con el SAT sigue con la nueva.`
            : `${empresa} subió su e.firma. Si su plan incluye la descarga del SAT, la primera sincronización empieza ahora.`,
        ),
        facts(
          ['Empresa', empresa],
          ['RFC', rfc],
          ['Certificado', serie],
          ['Vence', moment(venceEl)],
          ['La subió', subidaPor],
          ['Cuándo', moment(cuando)],
        ),
      ],
      footer: 'Aviso interno de Horux360. La e.firma y su contraseña no viajan por correo.',
    }),
  ),

  /** An e.firma is about to end (60, 30, 15, 5 and 1 days before), or has: to each admin of its company. */
  fiel_por_vencer: template(
    z.object({
      nombre,
      empresa: nombre,
      rfc: linea,
      serie: linea,
      venceEl: instante,
      /** Civil days that are left, 0 on the last. */
      dias: z.int().min(0).max(60),
      vencida: z.boolean(),
    }),
    ({ nombre, empresa, rfc, serie, venceEl, dias, vencida }, publicUrl) => {
      const cuando = vencida ? 'venció' : `vence ${dias === 0 ? 'hoy' : dias === 1 ? 'mañana' : `en ${dias} días`}`
      return {
        subject: `La e.firma de ${inSubject(empresa)} ${cuando}`,
        preview: vencida ? 'Mientras no la renueves no llegan CFDI del SAT.' : 'Renuévala antes, por internet.',
        title: `La e.firma de ${empresa} ${cuando}`,
        blocks: [
          hello(nombre),
          text(
            vencida
              ? `La e.firma de ${empresa} venció. Mientras no haya otra no podemos pedirle nada al SAT: no llegan CFDI ni cancelaciones. Lo que ya está aquí sigue aquí.`
              : `La e.firma de ${empresa} ${cuando}. Después no podremos pedirle nada al SAT: dejarán de llegar CFDI y cancelaciones.`,
          ),
          facts(
            ['Empresa', empresa],
            ['RFC', rfc],
            ['Certificado', serie],
            [vencida ? 'Venció' : 'Vence', moment(venceEl)],
          ),
          text(
            vencida
              ? 'Renuévala en el SAT (por internet si venció hace menos de un año) y sube la nueva. Lo que haya pasado mientras tanto se descarga entonces.'
              : 'Renuévala en el SAT por internet mientras siga vigente y sube la nueva: nada se interrumpe.',
          ),
          button('Subir la nueva e.firma', `${publicUrl}/configuracion/sat`),
        ],
        footer: `Recibes este correo porque administras ${empresa} en Horux360. Nadie de Horux360 te pedirá tu e.firma ni su contraseña por correo.`,
      }
    },
    // Before the end it announces, or it would announce the past.
    { expiry: ({ venceEl, vencida }) => (vencida ? null : new Date(venceEl)) },
  ),
} as const
