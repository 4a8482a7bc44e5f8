import { type Idioms, module, tsconfig } from './repo.fixture.ts'

/** A manifest of two jobs whose functions are handed on, the job `job` last. */
const two = (more = '') => `import { jobRegistry } from 'longhouse/jobs'
import { run as other } from './jobs/other'
import { run } from './jobs/job'
${more}
jobRegistry.register({ id: 'other', cron: '@daily', func: other })
jobRegistry.register({ id: 'job', cron: '@daily', func: run })
`
const plain = 'export const run = (): string => "other"'

/** A package, for modules that would be read without it. */
const parcel = {
  'node_modules/parcel/package.json': '{ "name": "parcel", "main": "index.cjs" }',
  'node_modules/parcel/index.cjs': 'exports.Parcel = class { weight = 1 }\nexports.weigh = () => 1',
}
const withParcel = "import { Parcel } from 'parcel'\nexport const own = new Parcel()\n"

/** What modules do while they are loaded, and others notice. */
export const ofEffects: Idioms = {
  'a job that the module of another one registers': {
    'package.json': module,
    'manifest.ts': two(),
    'jobs/other.ts': `import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'inner', cron: '5 * * * *', func: () => 'inner' })
${plain}`,
    'jobs/job.ts': `import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'beside', cron: '6 * * * *', func: () => 'beside' })
export async function run() { return 'job' }`,
  },
  'a job that a module with packages registers, by a function of another file': {
    'package.json': module,
    ...parcel,
    'manifest.ts': two(),
    'lib/add.ts': `import { jobRegistry } from 'longhouse/jobs'
export const add = (id: string) => jobRegistry.register({ id, cron: '7 * * * *', func: () => id })`,
    'jobs/other.ts': `${withParcel}import { add } from '../lib/add'\nadd('inner')\n${plain}`,
    'jobs/job.ts': "export const run = async () => 'job'",
  },
  'a schedule from the environment that the module of a job sets': {
    'package.json': module,
    ...parcel,
    'manifest.ts': two(`import { run as zoned } from './jobs/zoned'
jobRegistry.register({ id: 'set', cron: process.env.OWN_CRON ?? '1 1 * * *', func: zoned })`),
    'jobs/other.ts': `${withParcel}process.env.OWN_CRON = '2 2 * * *'\n${plain}`,
    'jobs/zoned.ts': 'export const run = () => process.env.OWN_CRON',
    'jobs/job.ts': 'export const run = async () => process.env.OWN_CRON',
  },
  'the environment, set by a package: called, imported for itself, or by Object.assign': {
    'package.json': module,
    'node_modules/env-file/package.json': '{ "name": "env-file", "main": "index.cjs" }',
    'node_modules/env-file/index.cjs': "exports.config = () => { process.env.OWN_A = 'a'; return {} }",
    'node_modules/env-file/config.js': "process.env.OWN_B = 'b'",
    'manifest.ts': `import { run as first } from './jobs/first'
import { run as second } from './jobs/second'
${two(`jobRegistry.register({ id: 'first', cron: process.env.OWN_A ? '1 * * * *' : '2 * * * *', func: first })
jobRegistry.register({ id: 'second', cron: process.env.OWN_B ? '1 * * * *' : '2 * * * *', func: second })`)}`,
    'jobs/first.ts':
      "import { config } from 'env-file'\nexport const read = config()\nexport const run = () => read",
    'jobs/second.ts': "import 'env-file/config.js'\nexport const run = () => 1",
    'jobs/other.ts': `Object.assign(process.env, { OWN_C: 'c' })\n${plain}`,
    'jobs/job.ts': `const { OWN_A, OWN_B, OWN_C } = process.env
export const run = async () => [OWN_A, OWN_B, OWN_C]`,
  },
  'a list that modules of jobs add to while they are loaded': {
    'package.json': module,
    ...parcel,
    'manifest.ts': two(),
    'lib/list.ts': `export const list: string[] = []
const counts = { loaded: 0 }
export const count = (): number => ++counts.loaded`,
    'jobs/other.ts': `${withParcel}import { count, list } from '../lib/list'\nlist.push('other')\nexport const at = count()\n${plain}`,
    'jobs/job.ts': `import { count, list } from '../lib/list'
list.push('job')
const at = count()
export const run = async () => [list, at, count()]`,
  },
  'what is printed while modules are loaded': {
    'package.json': module,
    'manifest.ts': two("console.log('the manifest')"),
    'lib/say.ts': "export function say(text: string) { console.log('said:', text) }",
    'jobs/other.ts': `import { say } from '../lib/say'
say('other')
;['a', 'b'].forEach(each => say(each))
;['c'].forEach(console.log)
${plain}`,
    'jobs/job.ts': `console.log('the job')
export async function run() {
  console.log('the run')
  return 'printed'
}`,
  },
  'a prototype that a file extends, which a job imports for itself': {
    'package.json': module,
    'manifest.ts': two(),
    'lib/extend.ts':
      "Object.defineProperty(String.prototype, 'louder', { value() { return this.toUpperCase() } })",
    'jobs/other.ts': `import '../lib/extend'\n${plain}`,
    'jobs/job.ts': "export const run = async () => ('text' as unknown as { louder?(): string }).louder?.()",
  },
  'a listener that the module of another job adds': {
    'package.json': module,
    'manifest.ts': two(),
    'lib/news.ts': "import { EventEmitter } from 'node:events'\nexport const news = new EventEmitter()",
    'jobs/other.ts': `import { news } from '../lib/news'
news.on('asked', (answers: string[]) => answers.push('other'))
${plain}`,
    'jobs/job.ts': `import { news } from '../lib/news'
export async function run() { const answers: string[] = []; news.emit('asked', answers); return answers }`,
  },
  'what the manifest changes after the modules of jobs were loaded': {
    'package.json': module,
    'manifest.ts': two("process.env.OWN_MODE = 'changed'"),
    'jobs/other.ts': plain,
    'jobs/job.ts': `const mode = process.env.OWN_MODE ?? 'unset'
export const run = async () => [mode, process.env.OWN_MODE]`,
  },
  'what a module changes that is imported after the one that reads it': {
    'package.json': module,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run } from './jobs/job'
import './lib/settings'
jobRegistry.register({ id: 'job', cron: '@daily', func: run })`,
    'lib/mode.ts': "export const mode = { name: 'first' }",
    'lib/settings.ts': "import { mode } from './mode'\nmode.name = 'second'",
    'jobs/job.ts': `import { mode } from '../lib/mode'
const { name } = mode
export const run = async () => [name, mode.name]`,
  },
  'files that import each other, from the one or from the other': {
    'package.json': module,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run as other } from './jobs/other'
import { zone } from './lib/b'
import { run } from './jobs/job'
jobRegistry.register({ id: zone, cron: '@daily', func: other })
jobRegistry.register({ id: 'job', cron: '@daily', func: run })`,
    'lib/a.ts': `import { zone } from './b'
export const name = 'a'
export const seen = typeof zone`,
    'lib/b.ts': `import * as a from './a'
export const zone = 'b'
let found = ''
try { found = a.name } catch { found = 'not yet' }
export { found }`,
    'jobs/other.ts': "import { seen } from '../lib/a'\nexport const run = () => seen",
    'jobs/job.ts': "import { found } from '../lib/b'\nexport const run = async () => found",
  },
  'jobs named after their functions': {
    'package.json': module,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { other } from './jobs/other'
import { job } from './jobs/job'
const jobs = {
  register({ cron, func }: { cron: string; func: () => unknown }) {
    jobRegistry.register({ id: func.name, cron, func })
  },
}
jobs.register({ cron: '@daily', func: other })
jobs.register({ cron: '@hourly', func: job })`,
    'jobs/other.ts': 'export const other = () => 1',
    'jobs/job.ts': 'export async function job() { return 2 }',
  },
  'a registry that another file wraps': {
    'package.json': module,
    'manifest.ts': `import './lib/wrap'\n${two()}`,
    'lib/wrap.ts': `import { jobRegistry } from 'longhouse/jobs'
const { register } = jobRegistry
jobRegistry.register = job => register({ ...job, cron: job.func.name === 'run' ? '3 3 * * *' : job.cron })`,
    'jobs/other.ts': plain,
    'jobs/job.ts': "export async function run() { return 'wrapped' }",
  },
  'modules that are passed on by a file that does more': {
    'package.json': module,
    'tsconfig.json': tsconfig({ paths: { '~/*': ['./*'] } }),
    ...parcel,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { other, run } from './jobs'
jobRegistry.register({ id: 'other', cron: process.env.OWN_CRON ?? '1 1 * * *', func: other })
jobRegistry.register({ id: 'job', cron: '@daily', func: run })`,
    'jobs/index.ts': "export { run as other } from './other'\nexport { run } from './job'",
    'jobs/other.ts': `${withParcel}import '~/lib/set'\n${plain}`,
    'lib/set.ts': "process.env.OWN_CRON ??= '4 4 * * *'",
    'jobs/job.ts': 'export const run = async () => process.env.OWN_CRON',
  },
  'await at the top level, with what comes of it': {
    'package.json': module,
    'manifest.ts': two(
      "jobRegistry.register({ id: 'late', cron: process.env.OWN_LATE ?? '1 1 * * *', func: () => 1 })",
    ),
    'lib/late.ts': `import { setTimeout } from 'node:timers/promises'
export async function late() { await setTimeout(1); process.env.OWN_LATE = '5 5 * * *' }`,
    'jobs/other.ts': `import { late } from '../lib/late'\nawait late()\n${plain}`,
    'jobs/job.ts': 'export const run = async () => process.env.OWN_LATE',
  },
  'a class that does something when it is defined, or when an object of it is made': {
    'package.json': module,
    'manifest.ts': two(`import { run as third } from './jobs/third'
jobRegistry.register({ id: 'third', cron: process.env.OWN_STATIC ?? '1 1 * * *', func: third })`),
    'lib/marks.ts':
      'export const marks: string[] = []\nexport class Mark { constructor(name: string) { marks.push(name) } }',
    'jobs/other.ts': `class Settings { static { process.env.OWN_STATIC = '6 6 * * *' } }\nexport const settings = Settings\n${plain}`,
    'jobs/third.ts': `import { Mark } from '../lib/marks'
enum Kind { Small, Large }
export const mark = new Mark(Kind[Kind.Large])
export const run = () => mark`,
    'jobs/job.ts': "import { marks } from '../lib/marks'\nexport const run = async () => marks",
  },
  'functions of plain objects, and callbacks, that set something': {
    'package.json': module,
    'manifest.ts': two(`import { run as third } from './jobs/third'
jobRegistry.register({ id: 'third', cron: process.env.OWN_CRON ?? '1 1 * * *', func: third })`),
    'lib/each.ts':
      'export const each = (names: string[], call: (name: string) => void) => names.forEach(call)',
    'jobs/other.ts': `const settings = { apply() { process.env.OWN_CRON = '7 7 * * *' } }\nsettings.apply()\n${plain}`,
    'jobs/third.ts': `import { each } from '../lib/each'
each(['OWN_ONE', 'OWN_TWO'], name => { process.env[name] = name })
export const run = () => 1`,
    'jobs/job.ts':
      'export const run = async () => [process.env.OWN_CRON, process.env.OWN_ONE, process.env.OWN_TWO]',
  },
  'modules of CommonJS that set something, by require': {
    'package.json': '{ "type": "commonjs" }',
    ...parcel,
    'manifest.ts': two(
      "jobRegistry.register({ id: 'set', cron: process.env.OWN_CRON ?? '1 1 * * *', func: () => 1 })",
    ),
    'lib/set.js': "process.env.OWN_CRON = '8 8 * * *'\nexports.set = true",
    'jobs/other.ts': `${withParcel}const { set } = require('../lib/set')\nexport const isSet = set\n${plain}`,
    'jobs/job.ts': 'export const run = async () => process.env.OWN_CRON',
  },
  'a name that a package keeps for all of its users': {
    'package.json': module,
    'node_modules/clock-like/package.json': '{ "name": "clock-like", "main": "index.cjs" }',
    'node_modules/clock-like/index.cjs': `let zone = 'UTC'
exports.setDefault = name => { zone = name }
exports.zone = () => zone
exports.initializeApp = name => { zone += name; return {} }`,
    'manifest.ts': two(),
    'jobs/other.ts': `import clock from 'clock-like'
clock.setDefault('Mars')
export const app = clock.initializeApp('!')
${plain}`,
    'jobs/job.ts': "import clock from 'clock-like'\nexport const run = async () => clock.zone()",
  },
  'members that run without a call of their name, and methods that lists have, too': {
    'package.json': module,
    'manifest.ts': two(
      ['got', 'each', 'text', 'plan', 'memory', 'made']
        .map(
          name => `import { run as ${name} } from './jobs/${name}'
jobRegistry.register({ id: '${name}', cron: '@daily', func: ${name} })`,
        )
        .join('\n'),
    ),
    'lib/got.ts': 'let count = 0\nexport class Ids { static get next() { return ++count } }',
    'lib/each.ts': 'let count = 0\nexport const ids = { *[Symbol.iterator]() { yield ++count } }',
    'lib/text.ts': 'let count = 0\nexport const id = { toString: () => String(++count) }',
    'lib/plan.ts':
      'export const plan = { times: [] as string[], at(time: string) { this.times.push(time) } }',
    'lib/memory.ts': 'export const memory = new ArrayBuffer(8)',
    'lib/make.ts': "export const make = () => ({ join: () => { process.env.OWN_MADE = 'made'; return '' } })",
    'jobs/got.ts': "import { Ids } from '../lib/got'\nconst id = Ids.next\nexport const run = () => id",
    'jobs/each.ts': "import { ids } from '../lib/each'\nconst [id] = ids\nexport const run = () => id",
    'jobs/text.ts': "import { id } from '../lib/text'\nconst text = id + ''\nexport const run = () => text",
    'jobs/plan.ts': "import { plan } from '../lib/plan'\nplan.at('8:00')\nexport const run = () => 1",
    'jobs/memory.ts':
      "import { memory } from '../lib/memory'\nconst view = new Uint8Array(memory)\nview[0] = 7\nexport const run = () => 1",
    'jobs/made.ts':
      "import { make } from '../lib/make'\nconst own = make()\nconst text = own.join()\nexport const run = () => text",
    'jobs/other.ts': plain,
    'jobs/job.ts': `import { ids } from '../lib/each'
import { Ids } from '../lib/got'
import { memory } from '../lib/memory'
import { plan } from '../lib/plan'
import { id } from '../lib/text'
export const run = async () => [Ids.next, [...ids], String(id), plan.times, new Uint8Array(memory)[0], process.env.OWN_MADE]`,
  },
  'what objects that packages made do while modules are loaded': {
    'package.json': module,
    'node_modules/store/package.json': '{ "name": "store", "main": "index.cjs" }',
    'node_modules/store/index.cjs':
      'exports.open = () => ({ info: text => console.log(text), exec: name => { process.env[name] = name } })',
    'manifest.ts': two(),
    'jobs/other.ts': `import { open } from 'store'
const store = open()
store.info('opened')
store.exec('OWN_TABLE')
${plain}`,
    'jobs/job.ts': 'export const run = async () => process.env.OWN_TABLE',
  },
  'a module that the manifest needs for a value, and that other jobs import': {
    'package.json': module,
    ...parcel,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run } from './jobs/job'
import { cron, run as timed } from './jobs/timed'
jobRegistry.register({ id: 'timed', cron, func: timed })
jobRegistry.register({ id: 'job', cron: '@daily', func: run })`,
    'jobs/timed.ts': `${withParcel}export const cron = '9 9 * * *'\nlet calls = 0\nexport const run = () => ++calls`,
    'jobs/job.ts':
      "import { cron, run as timed } from './timed'\nexport const run = async () => [cron, timed(), timed()]",
  },
}
