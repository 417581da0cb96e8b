import { hash, type KeyObject, verify } from 'node:crypto'
import { canonical, EXC_C14N } from './c14n.ts'
import { attributeOf, childOf, type Elemento, elementsOf, isElemento, textOf } from './xml-tree.ts'

export const DSIG = 'http://www.w3.org/2000/09/xmldsig#'
const RSA_SHA1 = `${DSIG}rsa-sha1`
const SHA1 = `${DSIG}sha1`

/**
 * Whether an XML signature (RSA-SHA1 over exclusive canonical XML, one reference) holds for `signed`, whatever it refers
 * to, and by that key. White space between elements counts, as it does for the SAT.
 * @throws Error when the signature is not even shaped like one
 */
export function signatureHolds(signature: Elemento, signed: Elemento, key: KeyObject): boolean {
  const info = childOf(signature, DSIG, 'SignedInfo')
  const reference = childOf(info, DSIG, 'Reference')
  algorithm(childOf(info, DSIG, 'CanonicalizationMethod'), EXC_C14N)
  algorithm(childOf(info, DSIG, 'SignatureMethod'), RSA_SHA1)
  algorithm(childOf(reference, DSIG, 'DigestMethod'), SHA1)
  for (const transform of elementsOf(childOf(reference, DSIG, 'Transforms'))) algorithm(transform, EXC_C14N)
  const digest = hash('sha1', canonical(signed, { without: signature }), 'base64')
  if (digest !== textOf(childOf(reference, DSIG, 'DigestValue'))) return false
  const value = Buffer.from(textOf(childOf(signature, DSIG, 'SignatureValue')), 'base64')
  return verify('sha1', Buffer.from(canonical(info)), key, value)
}

/** The `Reference URI` of a signature. */
export const referenceOf = (signature: Elemento): string =>
  attributeOf(childOf(childOf(signature, DSIG, 'SignedInfo'), DSIG, 'Reference'), 'URI') ?? ''

/** The document without the white space that only lays it out: text between elements, not in them. */
export function withoutLayout(element: Elemento): Elemento {
  const laidOut = element.children.some(isElemento)
  return {
    ...element,
    children: element.children
      .filter((child) => isElemento(child) || !laidOut || child.trim() !== '')
      .map((child) => (isElemento(child) ? withoutLayout(child) : child)),
  }
}

function algorithm(element: Elemento, wanted: string): void {
  const is = attributeOf(element, 'Algorithm')
  if (is !== wanted) throw new Error(`algorithm ${is}`)
}
