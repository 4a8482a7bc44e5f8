import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Import, readSources } from './sources.fixture.ts'

test('the parser sees every way to import', () => {
  const seen = ({ specifier, typeOnly, passedOn, taken }: Import) =>
    `${typeOnly ? 'type ' : ''}${passedOn ? 'on ' : ''}${specifier ?? '?'} (${taken.join(', ')})`
  for (const [text, expected] of [
    ["import { a, b as c } from './x.ts'", './x.ts (a, b)'],
    ['import a from "./x.ts"', './x.ts (default)'],
    ["import a, * as b from './x.ts'", './x.ts (default, *)'],
    ["import 'better-sqlite3'", 'better-sqlite3 ()'],
    ["import './x.ts'; import './x.ts'", './x.ts () and ./x.ts ()'],
    ["import type { A } from './x.ts'", 'type ./x.ts (A)'],
    ["import { type A, type B } from './x.ts'", 'type ./x.ts (A, B)'],
    ["import { type A, b } from './x.ts'", './x.ts (A, b)'],
    ["import {\n  // the caller's own\n  a,\n  /* it's */ b,\n} from './x.ts'", './x.ts (a, b)'],
    ["import { a } /* from './y.ts' */ from\n  './x.ts'", './x.ts (a)'],
    ["import data from './x.json' with { type: 'json' }", './x.json (default)'],
    ["import a = require('./x.ts')", './x.ts (*)'],
    ["export { a } from './x.ts'", 'on ./x.ts (a)'],
    ["export * from './x.ts'", 'on ./x.ts (*)'],
    ["export * as a from './x.ts'", 'on ./x.ts (*)'],
    ["export type { A } from './x.ts'", 'type on ./x.ts (A)'],
    ["export { type A } from './x.ts'", 'type on ./x.ts (A)'],
    ["let a: import('./x.ts').A", 'type ./x.ts (*)'],
    ['let a: typeof import("./x.ts")', 'type ./x.ts (*)'],
    ["await import('node:fs')", 'node:fs (*)'],
    ["await import(/* it's late */ './x.ts', { with: { type: 'json' } })", './x.ts (*)'],
    ['await import(`./x.ts`)', './x.ts (*)'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
    ['await import(`./${name}.ts`)', '? (*)'],
    ["await import('./x' + '.ts')", '? (*)'],
    ["require('./x.ts')", './x.ts (*)'],
    ["process.getBuiltinModule('fs')", 'fs (*)'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
    ["const a = `${await import('./x.ts')}`", './x.ts (*)'],
    ["// import './x.ts'\n/* import './x.ts' */\nconst a = \"import './x.ts'\"", ''],
    ["const a = /'/; import './x.ts' // '", './x.ts ()'],
    ["export const a = <p title=\"it's\">it's</p>; import './x.ts'", './x.ts ()'],
  ] as const) {
    const [source] = parsed(text)
    assert.equal(source?.imports.map(seen).join(' and '), expected, text)
  }
})

test('the parser sees which names a file uses, and which values it exports', () => {
  const [{ names, exports } = { names: new Set(), exports: [] }] = parsed(`
    const { env } = process
    export const { one, two: [three] } = window.fetch('process')
    export const four = 4, five = 5
    export function six() {}
    export class Seven {}
    export async function* eight() {}
    export interface A {}
    export type B = string
    const nine = 9
    const ten = 10
    export { nine, ten as eleven, type A as C }
    export default four
  `)
  assert.equal(names.has('process'), true)
  assert.equal(names.has('fetch'), false)
  assert.deepEqual(exports, ['one', 'three', 'four', 'five', 'six', 'Seven', 'eight', 'nine', 'eleven'])
})

/** A project of one file. */
function parsed(text: string) {
  return readSources('/project', {
    '/project/tsconfig.json': '{"compilerOptions":{"noLib":true}}',
    '/project/it.tsx': text,
  })
}
