/**
 * An answer that is JSON already, for hot lists that PostgreSQL serialises itself (`json_agg(…)::text`): it is sent as it
 * is. `T` is what the text holds, so that a route cannot answer the text of something else.
 */
export class JsonText<T> {
  readonly text: string
  declare private readonly holds: T

  constructor(text: string) {
    this.text = text
  }
}
