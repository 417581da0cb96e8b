/** A name as SQL wants it where parameters are not allowed. */
export const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`
