/** The fields of a request, each with a rule. A nested name is another object of rules; `any` accepts any value. */
export interface Fields {
  [name: string]: 'any' | 'list' | Fields
}

export type Value = string | Value[] | { [name: string]: Value }

/** Stripe's refusal of a request, with its message. */
export class Refusal extends Error {
  readonly status: number
  readonly body: Record<string, unknown>

  constructor(status: number, error: { type: string; message: string; code?: string; param?: string }) {
    super(error.message)
    this.status = status
    this.body = { error }
  }
}

export const invalid = (message: string, more: { code?: string; param?: string } = {}, status = 400) =>
  new Refusal(status, { type: 'invalid_request_error', message, ...more })

/** Stripe's form encoding: `a[b]=1`, `list[0][c]=2`. */
export function decodeForm(text: string): Record<string, Value> {
  const root: Record<string, Value> = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const path = [...name.matchAll(/[^[\]]+/g)].map(([part]) => part)
    let at: Record<string, Value> = root
    for (const [index, part] of path.entries()) {
      if (index === path.length - 1) at[part] = value
      else {
        at[part] ??= {}
        at = at[part] as Record<string, Value>
      }
    }
  }
  return root
}

/** Refuses fields that the endpoint does not know, as Stripe does. */
export function checkFields(given: Value, known: Fields, prefix = ''): void {
  for (const [name, value] of Object.entries(given as Record<string, Value>)) {
    const param = prefix === '' ? name : `${prefix}[${name}]`
    const rule = known[name] ?? known['*']
    if (rule === undefined) {
      throw invalid(`Received unknown parameter: ${param}`, { code: 'parameter_unknown', param })
    }
    if (rule === 'any' || rule === 'list') continue
    if (typeof value !== 'object') throw invalid(`Invalid object`, { param })
    checkFields(value, rule, param)
  }
}

export function text(given: Record<string, Value>, name: string): string {
  const value = given[name]
  if (typeof value !== 'string' || value === '')
    throw invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name })
  return value
}
