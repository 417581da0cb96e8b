/** What a plan can include (product.md, Plans). The names are those of the plans' rows, of the API and of the gate. */
export const features = [
  'dashboard',
  'cfdi_basic',
  'iva_isr',
  'reportes',
  'alertas',
  'calendario',
  'xml_sat',
  'conciliacion',
  'forecasting',
  'multi_empresa',
  'api_externa',
] as const
export type Feature = (typeof features)[number]
