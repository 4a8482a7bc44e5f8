import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startInstance, until } from '../engine.fixture.ts'
import { startRegistry } from './registry.fixture.ts'

/** A `package.json` with these dependencies. */
export const asks = (dependencies: Record<string, string>, more: object = {}) =>
  JSON.stringify({ name: 'jobs', private: true, type: 'module', dependencies, ...more })

/** What it says is known by `import`, by `require`, in a worker, and in a Node program that the job starts. */
const everyWay = `import { text } from 'greeting'
import { createRequire } from 'node:module'
import { execFileSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

const require = createRequire(import.meta.url)
export async function run({ params }: { params: { wait?: string } }) {
  while (params.wait && !existsSync(params.wait)) await new Promise(done => setTimeout(done, 20))
  const [inWorker] = await once(new Worker(new URL('./worker.ts', import.meta.url)), 'message')
  const inProgram = execFileSync(process.execPath, ['jobs/program.ts'], { encoding: 'utf8' })
  return [text, require('greeting').text, (await import('greeting/more.js')).more, inWorker, inProgram]
}`

export const files = {
  'jobs/all.ts': everyWay,
  'jobs/worker.ts': `import { text } from 'greeting'
import { parentPort } from 'node:worker_threads'
parentPort?.postMessage(text)`,
  'jobs/program.ts': `import { text } from 'greeting'\nprocess.stdout.write(text)`,
  'manifest.ts': `import { run } from './jobs/all'
import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: run, params: { wait: { type: 'string', optional: true } } })
`,
}
/** What the job returns when every way leads to this version. */
export const five = (text: string) => Array(5).fill(text)

async function withGreeting(t: TestContext) {
  const registry = await startRegistry(t)
  for (const [version, text] of Object.entries({ '1.0.0': 'one', '2.0.0': 'two', '3.0.0': 'three' })) {
    registry.publish(
      'greeting',
      version,
      { 'index.js': `export const text = '${text}'`, 'more.js': `export const more = '${text}'` },
      { exports: { '.': './index.js', './more.js': './more.js' } },
    )
  }
  return { registry, npmrc: `registry=${registry.url}/\n` }
}

/** An instance whose job imports a package, with the packages installed and the job live. */
export async function live(t: TestContext, options: Parameters<typeof startInstance>[1] = {}) {
  const { registry, npmrc } = await withGreeting(t)
  const instance = await startInstance(t, {
    ...options,
    files: { ...files, '.npmrc': npmrc, 'package.json': asks({ greeting: '1.0.0' }), ...options.files },
  })
  await until(() => instance.engine.manifest().status === 'ok', 'it is live')
  const kept = () =>
    readdirSync(join(instance.dir, 'packages'))
      .filter(name => !name.startsWith('.'))
      .sort()
  const version = () =>
    JSON.parse(readFileSync(instance.path('node_modules/greeting/package.json'), 'utf8')).version as string
  return Object.assign(instance, { registry, kept, version })
}
