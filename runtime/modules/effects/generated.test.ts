import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { outcomesOf, type Repo } from './generated.fixture.ts'

/** What a statement does, or reads, of what others share. `%` stands for its number. */
const acts = [
  "process.env.OWN_A = 'a%'",
  'list.push(%)',
  'conf.a = %',
  'delete conf.b',
  'bump()',
  'Object.assign(conf, { c: % })',
  'globalThis.shared = %',
  'console.log(%)',
  'got.next',
  '[...ids].length',
  'String(text)',
  'plan.at(%)',
  'new Mark(%).name',
  'all.bump()',
  'made.map(%)',
  'apply(() => list.push(%))',
  'conf.a',
  'list.length',
  'process.env.OWN_A',
  'count',
  'globalThis.shared',
  '%',
  'Math.max(%, 2)',
  'own.push(%)',
  "ownMap.set('a', %).size",
  "'a b'.split(' ').map(each => each.trim()).join()",
]

/** Ways by which an expression comes to be evaluated; `@` stands for it, and `%` for a number of its own. */
const ways = [
  '@',
  '(() => @)()',
  '(function () { return @ })()',
  '(() => { try { throw 1 } catch { return @ } })()',
  '(() => { try { return 1 } finally { @ } })()',
  '(() => { for (const each of [1]) { switch (each) { case 1: return @ } } })()',
  '(() => () => @)()()',
  '(0, @)',
  '[1].map(() => @)[0]',
  '[2, 1].sort(() => { @; return 0 }).length',
  'Array.from({ length: 1 }, () => @).length',
  "'a'.replace('a', () => String(@))",
  "JSON.parse('1', () => @)",
  'JSON.stringify({ toJSON: () => @ })',
  'JSON.stringify({ get a() { return @ } })',
  '({ get a() { return @ } }).a',
  '({ a: () => @ }).a()',
  '({ a() { return @ } }).a()',
  '({ ...{ get a() { return @ } } }).a',
  '({ [String(@)]: 1 })',
  '[{ toString: () => String(@) }].join()',
  '+{ valueOf() { return Number(@) } }',
  '[...(function* () { yield @ })()][0]',
  '[...{ *[Symbol.iterator]() { yield @ } }][0]',
  'new (class { a = @ })().a',
  'new (class { constructor() { @ } })()',
  '(class { static a = @ }).a',
  '(class { static { @ } }).name.length',
  '(class { static get a() { return @ } }).a',
  '(class { static a() { return @ } }).a()',
  'new (class { a() { return @ } })().a()',
  'new (class extends (class { constructor() { @ } }) {})()',
  '((a = @) => a)()',
  '(({ a = @ }) => a)({})',
  '(text => @)`a`',
  'new Proxy({}, { get: () => @ }).a',
  "'a' in new Proxy({}, { has: () => { @; return true } })",
  '(1 instanceof { [Symbol.hasInstance]: () => { @; return true } })',
  'Reflect.apply(() => @, null, [])',
  'Reflect.construct(class { constructor() { @ } }, [])',
  'Reflect.get({ get a() { return @ } }, "a")',
  '(() => @).call(null)',
  '(() => @).bind(null)()',
  '[() => @][0]()',
  'new Map([[1, () => @]]).get(1)()',
  '(([a]) => a())([() => @])',
  'Object.values({ get a() { return @ } })[0]',
  'Object.create(null, { a: { get: () => @ } }).a',
  'Object.defineProperty({}, "a", { get: () => @ }).a',
  'Object.groupBy([1], () => String(@))',
  'new Promise(resolve => resolve(@)) && 1',
  'apply(() => @)',
  'wrap(() => @)()',
  'new Holder(() => @).value',
  'new Holder({ go: () => @ }).later()',
  '(false || @)',
  '(true && @)',
  '(null ?? @)',
  '(true ? @ : 1)',
  'typeof @',
  'void @',
  '!@',
  '[@].length',
  'eval("1") && @',
  // Not evaluated: what is only declared may wait.
  '(() => @).name.length',
  '({ a() { return @ } }) && 1',
  '(class { a = @ }).name.length',
]

/** How a statement is made of an expression; `#` is its number in the file. */
const statements = [
  '@',
  'const a# = @',
  'export const a# = @',
  'let a#\na# = @',
  'const { a: a# = @ } = {}',
  'const [a# = @] = []',
  'function f#() { return @ }\nf#()',
  'function f#() { return @ }\nconst a# = f#()',
  'const f# = () => @\nf#()',
  'const f# = () => @\n[1].forEach(f#)',
  'function f#() {}\nf#.go = () => @\nconst a# = f#.go()',
  'function f#() { return @ }\nconst a# = wrap(f#)()',
  'class C# { static a = @ }',
  'class C# { static { @ } }',
  'class C# { static get a() { return @ } }\nconst a# = C#.a',
  'class C# { static set a(a) { @ } }\nC#.a = 1',
  'class C# { get a() { return @ } }\nconst a# = new C#().a',
  'class C# { set a(a) { @ } }\nnew C#().a = 1',
  'class C# { map() { return @ } }\nconst c# = new C#()\nconst a# = c#.map()',
  'class C# { #go() { return @ } a = this.#go() }\nconst a# = new C#()',
  'class C# { go() { return @ } constructor() { this.go() } }\nclass D# extends C# {}\nconst a# = new D#()',
  'function F#() { this.go() }\nF#.prototype.go = () => @\nconst a# = new F#()',
  'enum E# { A = Number(@), B = 2 }',
  'namespace N# { export const a = @ }',
  'const o# = { go: () => @ }\no#.go()',
  'const o# = { at: () => @ }\nconst a# = o#.at()',
  'const m# = new Map([["a", () => @]])\nfor (const each of m#.values()) each()',
  'const m# = new Map([["a", () => @]])\nm#.forEach(each => each())',
  'const l# = [() => @]\nconst a# = l#.map(each => each())',
  'const l# = [list]\nl#[0].push(#)\n@',
  'const l# = { conf }\nl#.conf.d = @',
  'for (conf.e of [@]) ;',
  'if (@) { list.length } else { conf.a }',
  'for (const each of [1, 2]) { own.push(each); @ }',
  'label#: for (;;) { @; break label# }',
  'Promise.resolve(@)',
  'const mark# = value => { @ }\n@mark# class C# {}',
  '// never\nfunction f#() { return @ }',
  'export class C# { a = @; go() { return @ } }',
  'export const go# = () => @',
]

const lib = `export const list = []
export const conf = { a: 0, b: 1 }
export let count = 0
export function bump() { return ++count }
export const plan = { times: [], at(time) { this.times.push(time) } }
export const marks = []
export class Mark { constructor(name) { this.name = name; marks.push(name) } }
export const made = { map(value) { list.push(value); return this } }
export const apply = call => call()
export const wrap = call => () => call()
export class Holder { value; constructor(given) { this.given = given; this.value = typeof given === 'function' ? given() : 1 } later() { return this.given.go() } }
`
/** Each of these counts when it is looked at, so a module that imports it is loaded at once. */
const counting = {
  'got.ts': 'let id = 0\nexport const got = { get next() { return ++id } }',
  'each.ts': 'let id = 0\nexport const each = { *[Symbol.iterator]() { yield ++id } }',
  'text.ts': 'let id = 0\nexport const text = { toString: () => String(++id) }',
}
const imports = `import { apply, bump, conf, count, Holder, list, made, Mark, plan, wrap } from './index'
import { each as ids } from './each'
import { got } from './got'
import { text } from './text'
import * as all from './lib'
const own = [], ownMap = new Map()`

const seen = `export const run = () => {
  console.log('run')
  return [process.env.OWN_A ?? null, list, conf, count, plan.times, all.marks, globalThis.shared ?? null, own]
}`

const expression = fc
  .tuple(fc.constantFrom(...acts), fc.array(fc.constantFrom(...ways), { maxLength: 2 }), fc.nat({ max: 9 }))
  .map(([act, around, number]) =>
    around.reduce(
      (inner, way) => way.replaceAll('@', () => `(${inner})`),
      act.replaceAll('%', String(number)),
    ),
  )
const statement = fc.tuple(fc.constantFrom(...statements), expression)
const file = fc.array(statement, { minLength: 1, maxLength: 3 }).map(given => {
  const texts = given.map(([text, inner], index) =>
    text
      .replaceAll('#go', '\0')
      .replace(/(?<!\w)@(?!mark)/g, () => `(${inner})`)
      .replaceAll('#', String(index))
      .replaceAll('\0', '#go'),
  )
  return [imports, ...texts, seen].join(';\n')
})

const repo = fc
  .record({
    a: file,
    b: file,
    c: file,
    last: fc.constantFrom('', 'process.env.OWN_A = "last"', 'conf.a = 9', 'console.log("manifest")'),
  })
  .map(
    ({ a, b, c, last }): Repo => ({
      'index.ts': "export * from './lib'",
      'lib.ts': lib,
      ...counting,
      'a.ts': a,
      'b.ts': b,
      'c.ts': c,
      'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run as a } from './a'
import { conf } from './lib'
import * as b from './b'
import { run as c } from './c'
${last}
jobRegistry.register({ id: 'a', cron: '@daily', func: a })
jobRegistry.register({ id: 'b', cron: process.env.OWN_A ?? '@daily', func: b.run })
jobRegistry.register({ id: 'c', cron: String(conf.a), func: c })`,
    }),
  )

test('modules of generated repos that wait make no difference', async () => {
  const counts = { repos: 0, waiting: 0 }
  await fc.assert(
    fc.asyncProperty(repo, async files => {
      const { waiting, here, clone } = await outcomesOf(files)
      counts.repos++
      if (waiting > 0) counts.waiting++
      assert.deepEqual(here, clone)
    }),
    // Raise it after a change of what may wait.
    { numRuns: 40 },
  )
  assert.ok(counts.waiting > 0, `only ${counts.waiting} of ${counts.repos} repos had modules that wait`)
})
