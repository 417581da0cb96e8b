/** A file of a form. */
export interface FormFile {
  name: string
  data: string | Buffer
  field?: string
}

/** A `multipart/form-data` body, and the header that goes with it. */
export function formOf(files: readonly FormFile[]): { payload: Buffer; headers: { 'content-type': string } } {
  const boundary = 'limite-de-prueba-8c1f'
  const parts = files.flatMap(({ name, data, field = 'archivos' }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${name.replaceAll('"', '%22')}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    Buffer.from(data),
    Buffer.from('\r\n'),
  ])
  const payload = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])
  return { payload, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }
}
