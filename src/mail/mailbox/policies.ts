/** Of our own pages: their files and nothing else. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src 'self' data:; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Of a mail inside its frame: no scripts, and no pictures from outside, which would tell that it was read. */
export const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'self'; form-action 'none'; " +
  "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"

/** A mail's HTML whose links open beside the mailbox and not inside its frame. */
export const sandboxed = (mail: string) => mail.replace(/<head>/i, '<head><base target="_blank" />')
