import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { startInstance, until } from '../engine.fixture.ts'

import { manifest, module, tsconfig } from './idioms/repo.fixture.ts'

test('a file of secrets is read by jobs and never committed, whatever .gitignore says', async t => {
  const { run, engine, path } = await startInstance(t, {
    files: {
      'manifest.ts': manifest(),
      'package.json': module,
      '.env': 'KEY=secret\n',
      '.env.example': 'KEY=\n',
      'apps/.env.production': 'KEY=secret\n',
      'jobs/job.ts': 'export async function run() { process.loadEnvFile(); return process.env.KEY }',
    },
  })
  assert.equal((await run('job')).result, 'secret')
  const { notCommitted, dirty, obstacle } = await engine.repo()
  assert.deepEqual([dirty, obstacle], [false, null])
  assert.deepEqual(notCommitted, [
    { path: '.env', kind: 'environment' },
    { path: 'apps/.env.production', kind: 'environment' },
  ])
  const listed = execFileSync('git', ['ls-tree', '-r', '--name-only', 'HEAD'], {
    cwd: path('.'),
    encoding: 'utf8',
  })
  assert.deepEqual(listed.trim().split('\n'), ['.env.example', 'jobs/job.ts', 'manifest.ts', 'package.json'])
})

test('text is imported by .txt, by its type, and by a name that the program makes up', async t => {
  const { run, engine, write, path } = await startInstance(t, {
    files: {
      'manifest.ts': manifest(),
      'package.json': module,
      'jobs/words.txt': 'hello',
      'jobs/notes.md': '# Notes',
      'jobs/job.ts': `import words from './words.txt'
import notes from './notes.md' with { type: 'text' }
export async function run() {
  const name = ['./wo', 'rds.txt'].join('')
  return [words, notes, (await import(name)).default]
}`,
    },
  })
  const { result, error } = await run('job')
  assert.deepEqual([result, error], [['hello', '# Notes', 'hello'], null])
  write('jobs/words.txt', 'changed')
  await until(async () => ((await run('job')).result as string[])[0] === 'changed', 'the change is live')
  rmSync(path('jobs/words.txt'))
  await engine.reload()
  assert.match(engine.manifest().errors[0]?.message ?? '', /cannot find the file ".\/words.txt"/)
})

const decorated = `import 'reflect-metadata'

/** @see nothing */
function noted(_target: object, _name: string) {}
class Engine { power = 3 }
class Car {
  @noted engine: Engine = new Engine()
  @noted start(speed: number): Promise<string> { return Promise.resolve(String(speed)) }
}
export async function run() {
  const of = (key: string, name: string) => Reflect.getMetadata(key, Car.prototype, name)
  return [of('design:type', 'engine')?.name, of('design:paramtypes', 'start')?.map((each: Function) => each.name), of('design:returntype', 'start')?.name]
}`

test('metadata of decorators is refused in words where the repo has no TypeScript that makes it', async t => {
  const { engine } = await startInstance(t, {
    files: {
      'manifest.ts': manifest(),
      'package.json': module,
      'tsconfig.json': tsconfig({ experimentalDecorators: true, emitDecoratorMetadata: true }),
      'node_modules/reflect-metadata/package.json': '{ "name": "reflect-metadata", "main": "index.js" }',
      'node_modules/reflect-metadata/index.js': '',
      'jobs/job.ts': decorated,
      'node_modules/typescript/package.json':
        '{ "name": "typescript", "version": "7.0.0", "main": "index.js" }',
      'node_modules/typescript/index.js': 'exports.version = "7.0.0"',
    },
  })
  const [error] = engine.manifest().errors
  assert.deepEqual([error?.file, error?.line], ['jobs/job.ts', 7])
  assert.match(error?.message ?? '', /"emitDecoratorMetadata".* add "typescript": "~5.9.0" to "dependencies"/)
})
