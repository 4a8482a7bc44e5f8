import { isTooDeepJson, maxJsonDepth } from '../../src/json-depth.ts'
import type { ParamFieldView } from '../../views/instance/jobs/run-form-page.tsx'
import { paramFaults } from './check.ts'
import { isRecord, type JsonSchema, propertiesOf, requiredOf, resolved } from './json-schema.ts'

/** A job without named parameters takes any object, written as JSON. */
const whole = 'params'

/** The form's fields, with the typed values or else the defaults, and their errors. */
export function formFields(
  schema: JsonSchema,
  typed: Readonly<Record<string, unknown>> | null,
  faults: readonly { path: string; message: string }[] = [],
): ParamFieldView[] {
  const required = new Set(requiredOf(schema))
  return entriesOf(schema).map(([name, own]) => {
    const { form, nullable } = simplified(own, schema)
    const kind = kindOf(form)
    const number = (keyword: string) =>
      typeof form[keyword] === 'number' ? (form[keyword] as number) : undefined
    return {
      name,
      kind,
      required: required.has(name) && !nullable && kind !== 'checkbox',
      optional: !required.has(name) && own.default === undefined && kind !== 'checkbox',
      description: typeof own.description === 'string' ? own.description : null,
      value: typed ? textOf(typed[name]) : standardText(own.default, kind),
      choices: choicesOf(form).map(textOf),
      min: number('minimum'),
      max: number('maximum'),
      step: kind !== 'number' ? undefined : form.type === 'integer' ? '1' : 'any',
      error: faults.find(({ path }) => path === name || path.startsWith(`${name}.`))?.message ?? null,
    }
  })
}

/** Parses the typed parameters, and returns what is invalid. An empty field is omitted. */
export function readForm(
  schema: JsonSchema,
  typed: Readonly<Record<string, unknown>>,
): { params: Record<string, unknown>; faults: { path: string; message: string }[] } {
  const params: Record<string, unknown> = {}
  const faults: { path: string; message: string }[] = []
  const required = new Set(requiredOf(schema))
  for (const [name, own] of entriesOf(schema)) {
    const { form, nullable } = simplified(own, schema)
    const kind = kindOf(form)
    const text = textOf(typed[name])
    const read = kind === 'checkbox' ? tick(text, own, required.has(name)) : readText(text, kind, form, own)
    if ('fault' in read) faults.push({ path: name, message: read.fault })
    else if (read.value !== undefined) params[name] = read.value
    else if (nullable && required.has(name)) params[name] = null
  }
  const given = namesNone(schema) ? params[whole] : params
  if (given !== undefined && !isRecord(given)) faults.push({ path: whole, message: 'must be an object' })
  const unread = new Set(faults.map(({ path }) => path))
  const misfits = faultsOf(schema, given ?? {}).filter(({ path }) => !unread.has(path))
  return { params: isRecord(given) ? { ...given } : {}, faults: [...faults, ...misfits] }
}

function faultsOf(schema: JsonSchema, given: unknown): { path: string; message: string }[] {
  const faults = paramFaults(schema, given)
  return namesNone(schema) ? faults.map(fault => ({ ...fault, path: whole })) : faults
}

type Read = { value: unknown } | { fault: string }

function tick(text: string, own: JsonSchema, required: boolean): Read {
  if (text !== '') return { value: true }
  return { value: required || own.default === true ? false : undefined }
}

function readText(text: string, kind: ParamFieldView['kind'], form: JsonSchema, own: JsonSchema): Read {
  if (kind === 'choice')
    return { value: choicesOf(form).find(choice => textOf(choice) === text) ?? (text || undefined) }
  if (kind === 'number') {
    if (text.trim() === '') return { value: undefined }
    const number = Number(text)
    return Number.isFinite(number) ? { value: number } : { fault: 'must be a number' }
  }
  if (kind === 'json' || kind === 'loose') {
    if (text.trim() === '') return { value: undefined }
    if (isTooDeepJson(text)) return { fault: `must be nested at most ${maxJsonDepth} deep` }
    try {
      return { value: JSON.parse(text) }
    } catch {
      if (kind === 'loose') return { value: text }
      return { fault: 'must be JSON, such as {"name": "value"} or [1, 2]' }
    }
  }
  // A form sends line ends as CR LF. An emptied field with a default means an empty text.
  if (text === '' && (own.default === undefined || own.default === '')) return { value: undefined }
  return { value: text.replaceAll('\r\n', '\n') }
}

function namesNone(schema: JsonSchema): boolean {
  return !isRecord(schema.properties)
}

function entriesOf(schema: JsonSchema): [string, JsonSchema][] {
  return namesNone(schema) ? [[whole, { type: 'object' }]] : propertiesOf(schema)
}

/** The one alternative besides null, if there is just one. */
function simplified(own: JsonSchema, root: JsonSchema): { form: JsonSchema; nullable: boolean } {
  const schema = resolved(own, root) ?? {}
  const alternatives = [schema.anyOf, schema.oneOf].find(Array.isArray)?.filter(isRecord) ?? []
  const real = alternatives.filter(each => each.type !== 'null')
  if (real[0] && real.length === 1)
    return { form: resolved(real[0], root) ?? {}, nullable: alternatives.length > 1 }
  const types = [schema.type].flat().filter(type => type !== undefined)
  const kinds = types.filter(type => type !== 'null')
  if (kinds.length === 1) return { form: { ...schema, type: kinds[0] }, nullable: types.length > 1 }
  return { form: schema, nullable: types.includes('null') }
}

function kindOf({ type, format, maxLength, ...schema }: JsonSchema): ParamFieldView['kind'] {
  if ('const' in schema || Array.isArray(schema.enum)) return 'choice'
  if (type === 'boolean') return 'checkbox'
  if (type === 'number' || type === 'integer') return 'number'
  if (type === 'string') {
    if (format === 'date') return 'date'
    if (format === 'email') return 'email'
    if (format === 'uri') return 'url'
    return format === 'multiline' || Number(maxLength) > 200 ? 'lines' : 'text'
  }
  const several = Array.isArray(type) ? type.includes('string') && type.length < 6 : type === undefined
  return several ? 'loose' : 'json'
}

function choicesOf(form: JsonSchema): readonly unknown[] {
  if ('const' in form) return [form.const]
  return Array.isArray(form.enum) ? form.enum : []
}

function standardText(value: unknown, kind: ParamFieldView['kind']): string {
  if (value === undefined) return ''
  if (kind === 'checkbox') return value === true ? 'on' : ''
  return kind === 'json' ? JSON.stringify(value, null, 2) : textOf(value)
}

function textOf(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
