import { type Idioms, module, tsconfig } from './repo.fixture.ts'

/** What TypeScript adds to JavaScript, and `tsconfig.json`. */
export const ofTypeScript: Idioms = {
  'paths and baseUrl of tsconfig.json, and of what it extends': {
    'package.json': module,
    'tsconfig.base.json': tsconfig({ paths: { '@lib/*': ['./lib/*'], config: ['./lib/config.ts'] } }),
    'tsconfig.json': '{\n  // comments are allowed\n  "extends": "./tsconfig.base.json",\n}',
    'lib/words.ts': "export const words: string = 'aliased'",
    'lib/config.ts': 'export const config = { a: 1 }',
    'jobs/job.ts': `import { words } from '@lib/words'
import { config } from 'config'
export async function run() { return [words, config] }`,
  },
  'baseUrl of tsconfig.json, and several that it extends': {
    'package.json': module,
    'base.json': tsconfig({ baseUrl: '.' }),
    'decorated.json': '{ "compilerOptions": { "experimentalDecorators": true } }',
    'tsconfig.json': '{ "extends": ["./base.json", "./decorated.json"] }',
    'lib/words.ts': "export const words: string = 'from the base'",
    'jobs/job.ts': `import { words } from 'lib/words'
const noted: string[] = []
const note = (_: object, name: string) => void noted.push(name)
class Job { @note words() { return words } }
export async function run() { return [new Job().words(), noted] }`,
  },
  'enum, namespace, parameter properties and decorators': {
    'package.json': module,
    'tsconfig.json': tsconfig({ experimentalDecorators: true }),
    'jobs/job.ts': `enum Colour { Red = 'red', Blue = 'blue' }
const enum Size { Small = 1 }
namespace Shapes { export const corners = 4 }
const seen: string[] = []
function noted(_target: object, name: string) { seen.push(name) }
class Box { constructor(readonly width: number) {} @noted area() { return this.width ** 2 } }
export async function run() { return [Colour.Blue, Size.Small, Shapes.corners, new Box(3).area(), seen] }`,
  },
  'using, accessor, decorators of the standard, satisfies and types of imports': {
    'package.json': module,
    'lib/types.ts':
      'export interface Size { width: number }\nexport const size = 3\nexport type { Size as Same }',
    'jobs/job.ts': `import { Size, size } from '../lib/types'
import type { Same } from '../lib/types'
const closed: string[] = []
function open(name: string) { return { name, [Symbol.dispose]: () => void closed.push(name) } }
function loud<This, Args extends unknown[]>(method: (this: This, ...args: Args) => string, _: ClassMethodDecoratorContext) {
  return function (this: This, ...args: Args) { return method.call(this, ...args).toUpperCase() }
}
abstract class Shape { abstract area(): string }
class Box extends Shape {
  accessor width = size
  @loud area() { return 'area ' + this.width ** 2 }
}
export async function run() {
  { using first = open('first'); using second = open(first.name + ' second'); void second }
  const box = { width: size } satisfies Size as Same
  return [closed, new Box().area(), box.width!, [3, 1, 2].toSorted()]
}`,
  },
  'names of classes while they are made and decorated': {
    'package.json': module,
    'jobs/job.ts': `const seen: string[] = []
function noted<T extends { name: string }>(made: T, _: ClassDecoratorContext): T { seen.push(made.name); return made }
@noted class Report { static title = Report.name; static make() { return new Report() } }
export async function run() { return [seen, Report.name, Report.title, Report.make().constructor.name, (class { static x = 1 }).name] }`,
  },
  'JSX with a factory of its own': {
    'package.json': module,
    'tsconfig.json': tsconfig({ jsx: 'react', jsxFactory: 'h' }),
    'lib/h.ts': `export const h = (tag: string, given: object | null, ...inside: unknown[]): string =>
  '<' + tag + Object.entries(given ?? {}).map(([name, value]) => ' ' + name + '="' + value + '"').join('') + '>' + inside.join('') + '</' + tag + '>'`,
    'jobs/mail.tsx': `import { h } from '../lib/h'
export const mail = (name: string) => <p class="hello">Hello <b>{name}</b></p>`,
    'jobs/job.ts': `import { mail } from './mail'
export async function run() { return mail('Ada') }`,
  },
  'JSX with a runtime of its own': {
    'package.json': '{ "type": "module", "imports": { "#jsx/jsx-runtime": "./jsx/index.ts" } }',
    'tsconfig.json': tsconfig({ jsx: 'react-jsx', jsxImportSource: '#jsx' }),
    'jsx/index.ts':
      "export const jsx = (tag: string, { children = [] }: any) => tag + '(' + children + ')'\nexport const jsxs = jsx",
    'jobs/job.tsx': 'export async function run() { return <p>Hello <b>Ada</b></p> }',
  },
  'a stack names the function, the file and the line': {
    'package.json': module,
    'jobs/job.ts': `interface Gone { with: string; comments: number }

/** Words. */
export async function run() {
  try {
    fail({ with: 'x', comments: 1 })
  } catch (error) {
    return /at (\\w+) .*(jobs\\/job\\.ts:\\d+)/.exec((error as Error).stack ?? '')?.slice(1)
  }
}

function fail(gone: Gone): never {
  throw new Error(gone.with)
}`,
  },
}
