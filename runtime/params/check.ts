import { isRecord, type JsonSchema, propertiesOf, requiredOf, resolved } from './json-schema.ts'

export interface ParamFault {
  /** The path from the checked value, with dots: `count`, `list.0.name`; '' for the value itself. */
  path: string
  message: string
}

/** The schema comes from the customer's code: a check that takes longer is left to the run. */
const mostSteps = 20_000
const mostDepth = 32

/**
 * Returns why a value does not match the schema; nothing if it does. Patterns, which could take forever, and
 * conditions are left to the run, where the job's own schema parses the value.
 */
export function paramFaults(schema: JsonSchema, value: unknown): ParamFault[] {
  return new Check(schema).faults(schema, value, '', 0)
}

/** Fills in the schema's defaults for missing values. */
export function withDefaults(
  schema: JsonSchema,
  params: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const defaults = propertiesOf(schema).flatMap(([name, each]) =>
    'default' in each ? [[name, each.default] as const] : [],
  )
  return { ...Object.fromEntries(defaults), ...params }
}

class Check {
  readonly root: JsonSchema
  steps = 0
  constructor(root: JsonSchema) {
    this.root = root
  }

  faults(given: JsonSchema, value: unknown, path: string, depth: number): ParamFault[] {
    if (++this.steps > mostSteps || depth > mostDepth) return []
    const schema = resolved(given, this.root)
    if (!schema) return []
    const one = (message: string) => [{ path, message }]

    const choices = 'const' in schema ? [schema.const] : schema.enum
    if (Array.isArray(choices)) {
      if (choices.some(choice => isSame(choice, value))) return []
      return one(
        choices.length === 1
          ? `must be ${inWords(choices[0])}`
          : `must be one of ${choices.map(inWords).join(', ')}`,
      )
    }
    const alternatives = [schema.anyOf, schema.oneOf].find(Array.isArray)
    if (alternatives) {
      const fault = this.noneFits(alternatives.filter(isRecord), value, path, depth)
      if (fault.length > 0) return fault
    }
    if (Array.isArray(schema.allOf)) {
      for (const each of schema.allOf.filter(isRecord)) {
        const found = this.faults(each, value, path, depth + 1)
        if (found.length > 0) return found
      }
    }
    const types = [schema.type].flat().filter(type => typeof type === 'string')
    if (types.length > 0 && !types.some(type => isOfType(value, type))) {
      return one(`must be ${types.map(type => typeWords[type] ?? type).join(' or ')}`)
    }
    if (typeof value === 'number') return numberFaults(schema, value).flatMap(one)
    if (typeof value === 'string') return textFaults(schema, value).flatMap(one)
    if (Array.isArray(value)) return this.ofList(schema, value, path, depth)
    return isRecord(value) ? this.ofObject(schema, value, path, depth) : []
  }

  /** For one alternative besides null its own messages; for several, that none matches. */
  noneFits(forms: readonly JsonSchema[], value: unknown, path: string, depth: number): ParamFault[] {
    const found = forms.map(form => this.faults(form, value, path, depth + 1))
    if (found.length === 0 || found.some(faults => faults.length === 0)) return []
    const real = found.filter((_, i) => forms[i]?.type !== 'null')
    return real.length === 1 && real[0]
      ? real[0]
      : [{ path, message: 'fits none of the forms that it may have' }]
  }

  ofList(schema: JsonSchema, list: readonly unknown[], path: string, depth: number): ParamFault[] {
    const { minItems, maxItems, items, prefixItems } = schema
    if (typeof minItems === 'number' && list.length < minItems)
      return [{ path, message: `must have at least ${entries(minItems)}` }]
    if (typeof maxItems === 'number' && list.length > maxItems)
      return [{ path, message: `must have at most ${entries(maxItems)}` }]
    const first = Array.isArray(prefixItems) ? prefixItems : []
    return list.flatMap((value, i) => {
      const own = first[i] ?? items
      return isRecord(own) ? this.faults(own, value, under(path, String(i)), depth + 1) : []
    })
  }

  ofObject(
    schema: JsonSchema,
    object: Readonly<Record<string, unknown>>,
    path: string,
    depth: number,
  ): ParamFault[] {
    const properties = new Map(propertiesOf(schema))
    const missing = requiredOf(schema)
      .filter(name => !Object.hasOwn(object, name))
      .map(name => ({ path: under(path, name), message: missingWords(properties.get(name)) }))
    const others = schema.additionalProperties
    // A zod schema drops unknown fields by default, so a misspelt one would be lost silently.
    const closed = others === false || (others === undefined && depth === 0 && properties.size > 0)
    const wrong = Object.entries(object).flatMap(([name, value]) => {
      const own = properties.get(name)
      if (own) return this.faults(own, value, under(path, name), depth + 1)
      if (isRecord(others)) return this.faults(others, value, under(path, name), depth + 1)
      if (!closed) return []
      const known = [...properties.keys()].map(each => `"${each}"`).join(', ')
      return [{ path: under(path, name), message: `is no parameter here; there is ${known || 'none'}` }]
    })
    return [...missing, ...wrong]
  }
}

function under(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

const typeWords: Record<string, string> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value)
  // JSON parses 1e999 as infinity, and cannot represent that.
  if (type === 'number') return Number.isFinite(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'null') return value === null
  if (type === 'object') return isRecord(value)
  return typeof value === type
}

function missingWords(schema: JsonSchema | undefined): string {
  const [type] = [schema?.type].flat()
  const words = typeof type === 'string' ? typeWords[type] : undefined
  if (Array.isArray(schema?.enum)) return `is missing; it is one of ${schema.enum.map(inWords).join(', ')}`
  return words ? `is missing; it is ${words}` : 'is missing'
}

function numberFaults(schema: JsonSchema, value: number): string[] {
  const bound = (keyword: string) => {
    const found = schema[keyword]
    return typeof found === 'number' ? found : null
  }
  const [least, most] = [bound('minimum'), bound('maximum')]
  const [above, below] = [bound('exclusiveMinimum'), bound('exclusiveMaximum')]
  const step = bound('multipleOf')
  if (least !== null && value < least) return [`must be at least ${least}`]
  if (most !== null && value > most) return [`must be at most ${most}`]
  if (above !== null && value <= above) return [`must be more than ${above}`]
  if (below !== null && value >= below) return [`must be less than ${below}`]
  if (step !== null && step > 0 && Math.abs(value / step - Math.round(value / step)) > 1e-9)
    return [`must be a multiple of ${step}`]
  return []
}

function textFaults({ minLength, maxLength, format }: JsonSchema, text: string): string[] {
  if (typeof minLength === 'number' && text.length < minLength) {
    return [minLength === 1 ? 'must not be empty' : `must have at least ${minLength} characters`]
  }
  if (typeof maxLength === 'number' && text.length > maxLength)
    return [`must have at most ${maxLength} characters`]
  const rule = typeof format === 'string' ? formats[format] : undefined
  return rule && !rule.fits(text) ? [`must be ${rule.words}`] : []
}

const formats: Record<string, { fits(text: string): boolean; words: string }> = {
  date: {
    fits: text => /^\d{4}-\d\d-\d\d$/.test(text) && isDay(text),
    words: 'a date such as 2026-01-31',
  },
  'date-time': {
    fits: text => /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text)),
    words: 'a time such as 2026-01-31T12:00:00Z',
  },
  email: { fits: text => /^[^\s@]+@[^\s@]+$/.test(text), words: 'an address such as you@example.com' },
  uri: { fits: text => URL.canParse(text), words: 'an address such as https://example.com' },
  uuid: { fits: text => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text), words: 'a UUID' },
}

/** False for the 31st of a month without one, which Date parses as a day of the next month. */
function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

function entries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}

function inWords(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && a !== null && JSON.stringify(a) === JSON.stringify(b))
}
