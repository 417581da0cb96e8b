/** An answer of Descargar as the SAT writes it, around `paquete` (text that is to be base64). */
export function descargaAnswer(
  paquete: string,
  { codigo = '5000', mensaje = 'Solicitud Aceptada' }: { codigo?: string; mensaje?: string } = {},
): string {
  const { before, after } = descargaEnvelope({ codigo, mensaje })
  return `${before}${paquete}${after}`
}

export function descargaEnvelope({ codigo = '5000', mensaje = 'Solicitud Aceptada' } = {}) {
  return {
    before: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><h:respuesta CodEstatus="${codigo}" Mensaje="${mensaje}" xmlns:h="http://DescargaMasivaTerceros.sat.gob.mx" xmlns="http://DescargaMasivaTerceros.sat.gob.mx"/></s:Header><s:Body><RespuestaDescargaMasivaTercerosSalida xmlns="http://DescargaMasivaTerceros.sat.gob.mx"><Paquete>`,
    after: '</Paquete></RespuestaDescargaMasivaTercerosSalida></s:Body></s:Envelope>',
  }
}

/** In pieces of these lengths, the last of them as often as it takes. */
export async function* inPieces(bytes: Buffer | string, lengths: readonly number[] = [bytes.length]) {
  const all = Buffer.from(bytes)
  for (let at = 0, i = 0; at < all.length; i++) {
    const length = Math.max(1, lengths[Math.min(i, lengths.length - 1)] ?? 1)
    // A copy with nothing around it, as it would come from a connection.
    yield Uint8Array.from(all.subarray(at, at + length))
    at += length
  }
}
