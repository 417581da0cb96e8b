import { CfdiFilter, type Criterio, Orden } from '../find/schemas.ts'

/** What is taken out, and in which order: the list as it is seen, without its pages. */
export interface Consulta {
  readonly filtro: CfdiFilter
  readonly orden: readonly Criterio[] | undefined
}

/** As it is sent. */
export const ConsultaEnviada = CfdiFilter.extend({ orden: Orden.optional() }).transform(
  ({ orden, ...filtro }): Consulta => ({ filtro, orden }),
)

/** The address of the list that shows the same, as `queryOf` writes it. @throws z.ZodError when a later release reads the list's filters otherwise */
export const textToConsulta = (text: string): Consulta =>
  ConsultaEnviada.parse(Object.fromEntries(new URLSearchParams(text)))
