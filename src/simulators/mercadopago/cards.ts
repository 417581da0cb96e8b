/** What the bank says, by the name of the card's holder, as MercadoPago's test cards have it (billing.md 2.11). */
export interface CardOutcome {
  status: 'approved' | 'in_process' | 'rejected'
  statusDetail: string
  /** For the checkout page. */
  texto: string
}

const rejected = (statusDetail: string, texto: string): CardOutcome => ({ status: 'rejected', statusDetail, texto })

/** RISK is ours: the documented names cannot play `cc_rejected_high_risk`, and the product must tell it apart. */
export const CARDS: Readonly<Record<string, CardOutcome>> = {
  APRO: { status: 'approved', statusDetail: 'accredited', texto: 'Aprobada' },
  CONT: { status: 'in_process', statusDetail: 'pending_contingency', texto: 'En revisión' },
  FUND: rejected('cc_rejected_insufficient_amount', 'Fondos insuficientes'),
  CALL: rejected('cc_rejected_call_for_authorize', 'El banco pide que la autorices por teléfono'),
  OTHE: rejected('cc_rejected_other_reason', 'Rechazada sin decir por qué'),
  SECU: rejected('cc_rejected_bad_filled_security_code', 'Código de seguridad equivocado'),
  EXPI: rejected('cc_rejected_bad_filled_date', 'Fecha de vencimiento equivocada'),
  FORM: rejected('cc_rejected_bad_filled_other', 'Algún dato está equivocado'),
  CARD: rejected('cc_rejected_bad_filled_card_number', 'Número de tarjeta equivocado'),
  LOCK: rejected('cc_rejected_card_disabled', 'Tarjeta sin activar'),
  ATTE: rejected('cc_rejected_max_attempts', 'Demasiados intentos'),
  BLAC: rejected('cc_rejected_blacklist', 'Tarjeta en lista negra'),
  DUPL: rejected('cc_rejected_duplicated_payment', 'Pago repetido'),
  RISK: rejected('cc_rejected_high_risk', 'Rechazada por riesgo'),
}

export const isCard = (holder: string): boolean => Object.hasOwn(CARDS, holder)

/** A name that is not on the list belongs to a person, whose card is good. */
export const outcomeOf = (holder: string): CardOutcome =>
  (isCard(holder) ? CARDS[holder] : CARDS['APRO']) as CardOutcome
