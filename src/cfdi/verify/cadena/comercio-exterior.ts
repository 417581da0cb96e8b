/** Exports. Written as `formato.ts` says. */
export const COMERCIO_EXTERIOR = `
http://www.sat.gob.mx/ComercioExterior 3.2
  ComercioExterior: Version TipoOperacion ClaveDePedimento? CertificadoOrigen? NumCertificadoOrigen?
    NumeroExportadorConfiable? Incoterm? Subdivision? Observaciones? TipoCambioUSD? TotalUSD? >Emisor >Receptor
    >Destinatario >Mercancias
  Emisor: Curp?
  Receptor: Curp? NumRegIdTrib
  Destinatario: NumRegIdTrib? Rfc? Curp? Nombre? >Domicilio
  Mercancias: >Mercancia
  Domicilio: Calle NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia? Municipio? Estado Pais
    CodigoPostal
  Mercancia: NoIdentificacion FraccionArancelaria? CantidadAduana? UnidadAduana? ValorUnitarioAduana?
    ValorDolares >DescripcionesEspecificas
  DescripcionesEspecificas: Marca Modelo? SubModelo? NumeroSerie?

http://www.sat.gob.mx/ComercioExterior11 3.2 3.3 4.0
  ComercioExterior: Version MotivoTraslado? TipoOperacion ClaveDePedimento? CertificadoOrigen?
    NumCertificadoOrigen? NumeroExportadorConfiable? Incoterm? Subdivision? Observaciones? TipoCambioUSD?
    TotalUSD? >Emisor >Propietario >Receptor >Destinatario >Mercancias
  Emisor: Curp? >Domicilio
  Propietario: NumRegIdTrib ResidenciaFiscal
  Receptor: NumRegIdTrib? >Domicilio
  Destinatario: NumRegIdTrib? Nombre? >Domicilio
  Mercancias: >Mercancia
  Domicilio: Calle NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia? Municipio? Estado Pais
    CodigoPostal
  Mercancia: NoIdentificacion FraccionArancelaria? CantidadAduana? UnidadAduana? ValorUnitarioAduana?
    ValorDolares >DescripcionesEspecificas
  DescripcionesEspecificas: Marca Modelo? SubModelo? NumeroSerie?

http://www.sat.gob.mx/ComercioExterior20 4.0
  ComercioExterior: Version MotivoTraslado? ClaveDePedimento CertificadoOrigen NumCertificadoOrigen?
    NumeroExportadorConfiable? Incoterm? Observaciones? TipoCambioUSD TotalUSD >Emisor >Propietario >Receptor
    >Destinatario >Mercancias
  Emisor: Curp? >Domicilio
  Propietario: NumRegIdTrib ResidenciaFiscal
  Receptor: NumRegIdTrib? >Domicilio
  Destinatario: NumRegIdTrib? Nombre? >Domicilio
  Mercancias: >Mercancia
  Domicilio: Calle NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia? Municipio? Estado Pais
    CodigoPostal
  Mercancia: NoIdentificacion FraccionArancelaria? CantidadAduana? UnidadAduana? ValorUnitarioAduana?
    ValorDolares >DescripcionesEspecificas
  DescripcionesEspecificas: Marca Modelo? SubModelo? NumeroSerie?
`
