/** A way for a job to fail, and what its run says of it. */
export interface ErrorKind {
  /** The file `jobs/<id>.ts`; its function is called as the id, or is the default. */
  code: string
  /** More fields of its registration. */
  fields?: string
  message: string | RegExp
  /** What stands after each `at`, in this order. */
  frames: readonly string[]
}

/** Files that the jobs below need. */
export const errorFiles: Record<string, string> = {
  'package.json': '{ "type": "module" }',
  'node_modules/dep/package.json': '{ "name": "dep", "version": "1.0.0", "main": "index.cjs" }',
  'node_modules/dep/index.cjs':
    'function inner() { throw new Error("of a package") }\nexports.explode = () => inner()\nexports.call = function call(f) { f() }\n',
  'data/bad.json': '{ nope',
  'jobs/broken.ts': 'export const = 1\n',
  'jobs/crunch.ts': "interface A { a: 1 }\nfunction crunch(): A { throw new Error('elsewhere') }\ncrunch()\n",
}

export const errorKinds: Record<string, ErrorKind> = {
  text: { code: `export async function text() { throw 'plain words' }`, message: 'plain words', frames: [] },
  nothing: {
    code: 'export async function nothing() { throw null }',
    message: 'threw null, which is not an Error',
    frames: [],
  },
  thing: {
    code: 'export async function thing() { throw { code: 7, path: import.meta.filename } }',
    message: "threw { code: 7, path: 'jobs/thing.ts' }, which is not an Error",
    frames: [],
  },
  several: {
    code: "export async function several() { throw new AggregateError([new Error('first'), new TypeError('second')], 'both') }",
    message: 'AggregateError: both: first; second',
    frames: [
      'several (jobs/several.ts:1:41)',
      'several (jobs/several.ts:1:61)',
      'several (jobs/several.ts:1:81)',
    ],
  },
  chain: {
    code: "function low() { throw new Error('low') }\nexport async function chain() { try { low() } catch (cause) { throw new Error('high', { cause }) } }",
    message: 'high: low',
    frames: ['chain (jobs/chain.ts:2:69)', 'low (jobs/chain.ts:1:24)', 'chain (jobs/chain.ts:2:39)'],
  },
  deep: {
    code: "const low = () => { throw new Error('low') }\nconst high = () => { try { low() } catch (cause) { throw new Error('high', { cause }) } }\nconst a = () => high()\nconst b = () => a()\nexport const deep = async () => b()",
    message: 'high: low',
    frames: [
      'high (jobs/deep.ts:2:58)',
      'a (jobs/deep.ts:3:17)',
      'b (jobs/deep.ts:4:17)',
      'deep (jobs/deep.ts:5:33)',
      'low (jobs/deep.ts:1:27)',
      'high (jobs/deep.ts:2:28)',
    ],
  },
  realm: {
    code: `import vm from 'node:vm'\nexport async function realm() { vm.runInNewContext('throw new RangeError("elsewhere")') }`,
    message: 'RangeError: elsewhere',
    frames: ['realm (jobs/realm.ts:2:36)'],
  },
  arrow: {
    code: "export const arrow = async () => { [1].map(item => { throw new Error('in an arrow') }) }",
    message: 'in an arrow',
    frames: ['<anonymous> (jobs/arrow.ts:1:60)', 'Array.map (<anonymous>)', 'arrow (jobs/arrow.ts:1:40)'],
  },
  unnamed: {
    code: "export default async () => { throw new Error('in a default') }",
    message: 'in a default',
    frames: ['default (jobs/unnamed.ts:1:36)'],
  },
  named: {
    code: "export default async function report() { throw new Error('in a default') }",
    message: 'in a default',
    frames: ['report (jobs/named.ts:1:48)'],
  },
  classes: {
    code: "class Report { #rows() { throw new Error('in a method') } build() { this.#rows() } static go() { new Report().build() } }\nexport const classes = async () => Report.go()",
    message: 'in a method',
    frames: [
      'Report.#rows (jobs/classes.ts:1:32)',
      'Report.build (jobs/classes.ts:1:74)',
      'Report.go (jobs/classes.ts:1:111)',
      'classes (jobs/classes.ts:2:43)',
    ],
  },
  own: {
    code: "class ReportError extends Error { name = 'ReportError' }\nexport async function own() { throw new ReportError('of a class') }",
    message: 'ReportError: of a class',
    frames: ['own (jobs/own.ts:2:37)'],
  },
  json: {
    code: `import { createRequire } from 'node:module'\nexport async function json() { createRequire(import.meta.url)('../data/bad.json') }`,
    message: /^SyntaxError: data\/bad\.json: Expected property name/,
    frames: ['parse (<anonymous>)', 'json (jobs/json.ts:2:61)'],
  },
  syntax: {
    code: "const name = './broken.ts'\nexport async function syntax() { await import(name) }",
    message: 'SyntaxError: jobs/broken.ts:1:14: Expected identifier but found "="',
    frames: ['syntax (jobs/syntax.ts:2:47)'],
  },
  nowhere: {
    code: "const name = './gone.ts'\nexport async function nowhere() { await import(name) }",
    message: "Cannot find module 'jobs/gone.ts' imported from jobs/nowhere.ts",
    frames: ['nowhere (jobs/nowhere.ts:2:48)'],
  },
  required: {
    code: "import { createRequire } from 'node:module'\nexport async function required() { createRequire(import.meta.url)('./gone.cjs') }",
    message: /^Cannot find module '\.\/gone\.cjs'\nRequire stack:\n- jobs\/required\.ts$/,
    frames: ['required (jobs/required.ts:2:65)'],
  },
  lacking: {
    code: "const name = 'left-out'\nexport async function lacking() { await import(name) }",
    message: "Cannot find package 'left-out' imported from jobs/lacking.ts",
    frames: ['lacking (jobs/lacking.ts:2:48)'],
  },
  package: {
    code: "import { explode } from 'dep'\nexport default async function ours() { explode() }",
    message: 'of a package',
    frames: [
      'inner (node_modules/dep/index.cjs:1:26)',
      'exports.explode (node_modules/dep/index.cjs:2:25)',
      'ours (jobs/package.ts:2:40)',
    ],
  },
  callback: {
    code: "import { call } from 'dep'\nexport async function callback() { call(function mine() { throw new Error('called back') }) }",
    message: 'called back',
    frames: [
      'mine (jobs/callback.ts:2:65)',
      'call (node_modules/dep/index.cjs:3:35)',
      'callback (jobs/callback.ts:2:36)',
    ],
  },
  unhandled: {
    code: "async function later() { throw new Error('not waited for') }\nexport async function unhandled() { later(); await new Promise(done => setTimeout(done, 5000)) }",
    message: 'not waited for',
    frames: ['later (jobs/unhandled.ts:1:32)', 'unhandled (jobs/unhandled.ts:2:37)'],
  },
  timer: {
    code: "export async function timer() { setTimeout(function tick() { throw new Error('in a timer') }, 5); await new Promise(done => setTimeout(done, 5000)) }",
    message: 'in a timer',
    frames: ['Timeout.tick (jobs/timer.ts:1:68)'],
  },
  worker: {
    code: "import { once } from 'node:events'\nimport { Worker } from 'node:worker_threads'\nexport async function worker() { await once(new Worker(new URL('./crunch.ts', import.meta.url)), 'exit') }",
    message: 'elsewhere',
    frames: ['crunch (jobs/crunch.ts:2:30)', '<anonymous> (jobs/crunch.ts:3:1)'],
  },
  child: {
    code: "import { execFileSync } from 'node:child_process'\nexport async function child() { execFileSync(process.execPath, [import.meta.dirname + '/crunch.ts'], { stdio: 'pipe' }) }",
    message:
      /^Command failed: node jobs\/crunch\.ts\njobs\/crunch\.ts:2\nfunction crunch\(\): A \{ throw new Error\('elsewhere'\) \}\n *\^\n\nError: elsewhere\n {4}at crunch \(jobs\/crunch\.ts:2:30\)\n {4}at <anonymous> \(jobs\/crunch\.ts:3:1\)\n\nNode\.js v[\d.]+\n$/,
    frames: [
      'crunch (jobs/crunch.ts:2:30)',
      '<anonymous> (jobs/crunch.ts:3:1)',
      'child (jobs/child.ts:2:33)',
    ],
  },
  program: {
    code: "import { execFileSync } from 'node:child_process'\nexport async function program() { execFileSync('no-such-program') }",
    message: 'spawnSync no-such-program ENOENT',
    frames: ['program (jobs/program.ts:2:35)'],
  },
  absolute: {
    code: "import fs from 'node:fs'\nexport async function absolute() { fs.readFileSync(process.cwd() + '/data/gone.txt') }",
    message: "ENOENT: no such file or directory, open 'data/gone.txt'",
    frames: ['absolute (jobs/absolute.ts:2:39)'],
  },
  temporary: {
    code: "import fs from 'node:fs'\nimport os from 'node:os'\nexport async function temporary() { fs.readFileSync(os.tmpdir() + '/gone.txt') }",
    message: "ENOENT: no such file or directory, open '$TMPDIR/gone.txt'",
    frames: ['temporary (jobs/temporary.ts:3:40)'],
  },
  above: {
    code: "import fs from 'node:fs'\nimport path from 'node:path'\nexport async function above() { fs.readFileSync(path.resolve('../longhouse.db')) }",
    message: /^jobs may not read \.\.\/longhouse\.db; /,
    frames: ['above (jobs/above.ts:3:36)'],
  },
  address: {
    code: "export async function address() { throw new Error('GET https://example.com' + process.cwd() + '/1 failed') }",
    message: /^GET https:\/\/example\.com\/.+\/jobs\/1 failed$/,
    frames: ['address (jobs/address.ts:1:41)'],
  },
  frozen: {
    code: "export async function frozen() { throw Object.freeze(new Error('frozen')) }",
    message: 'frozen',
    frames: ['frozen (jobs/frozen.ts:1:54)'],
  },
  hostile: {
    code: "export async function hostile() { throw new Proxy(new Error(''), { get: function trap() { throw new Error('a trap') } }) }",
    message: 'a trap',
    frames: ['Object.trap (jobs/hostile.ts:1:97)'],
  },
  memory: {
    code: 'export async function memory() { const all: unknown[] = []; for (;;) all.push(new Array(100_000).fill(1.5)) }',
    fields: "memory: '64m',",
    message: /^the job used more than its 64 MiB of memory and was ended/,
    frames: [],
  },
  exit: {
    code: 'export async function exit() { process.exit(3) }',
    message: 'the job ended its process with exit code 3 before its function returned',
    frames: ['exit (jobs/exit.ts:1:40)'],
  },
  signal: {
    code: "export async function signal() { process.kill(process.pid, 'SIGUSR2'); await new Promise(done => setTimeout(done, 5000)) }",
    message: 'the process of the run was ended by SIGUSR2',
    frames: [],
  },
  limit: {
    code: 'export async function limit() { await new Promise(done => setTimeout(done, 60_000)) }',
    fields: "timeout: '1s',",
    message: 'the run took longer than its limit of 1 seconds and was stopped',
    frames: [],
  },
  timeout: {
    code: "export async function timeout() { await fetch('http://127.0.0.1:9').catch(cause => { throw new Error('late', { cause }) }) }",
    message: 'late: fetch failed: bad port',
    frames: [
      '<anonymous> (jobs/timeout.ts:1:92)',
      'async timeout (jobs/timeout.ts:1:35)',
      'timeout (jobs/timeout.ts:1:41)',
      'timeout (jobs/timeout.ts:1:41)',
    ],
  },
}
